"""What the service keeps: feedback, issued cards and the decision log. See docs/store.md."""
