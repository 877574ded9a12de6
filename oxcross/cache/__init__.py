"""The store's remote half: what one machine built, for others to take.

What lies in the bucket, or behind the address, below the prefix (version 1 of the layout)::

    v1/steps/KEY/SIGNER.json   what the step of that key made, said and signed by a trusted builder (statement.py)
    v1/blobs/SHA256            the trees of steps, packed (archive.py)
    v1/sources/SHA256          pinned sources, as they are

All of it is created only if it is not there, and none of it is believed: a source is the one whose SHA-256 is pinned, an
archive the one whose SHA-256 a statement tells, and a statement is that of a key in ``trust``, about the very step that was
asked for. SIGNER is made of the public key, so a new key's statements lie beside those of an older one, and nobody can
take another's place. What does not hold is said in a line and built instead; so is what cannot be reached.
"""
