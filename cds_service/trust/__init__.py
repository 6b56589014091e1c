"""Who may call this service: CDS clients prove who they are with a JWT that they signed.

    guard     one look at every request, before the route is entered
    tokens    a token -> the client that signed it, or a refusal with its reason
    clients   the allow list, a YAML file
    keys      the right key of a set; key_sets: sets that clients publish
    replay    what was seen before, in a file or in Redis
    audience  the address that a token must name
    mode      whether a token is asked at all

Source: CDS Hooks 2.0, section Trusting CDS Clients.
"""
