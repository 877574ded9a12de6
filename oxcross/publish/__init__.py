"""Where a release goes: a folder of this machine (dist.py), and from there a bucket of an S3 server.

keys.py says how it lies there, s3.py and connection.py speak to the server (retry.py: what its answers mean; signer.py: its clock), upload.py puts a file there,
pointer.py moves channels, marks.py keeps them from bad versions; publishing.py, published.py, verification.py and retention.py are what the tasks do.

signing.py signs a release with a key (minisign.py: how), identity.py without one, provenance.py says how it was made; memory.py is what this machine saw of channels.
"""
