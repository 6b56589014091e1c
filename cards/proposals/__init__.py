"""Cards that propose something to do: a suggestion to accept, or an application to launch. Pure."""
