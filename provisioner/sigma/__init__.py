"""Rules of Sigma (https://sigmahq.io) into rules of ours: `provisioner import sigma`.

pySigma reads them and applies the processing pipeline; what a query string can say is said by `backend`, the rest is
told by name and reason. Needs the extra `sigma`; nothing else imports this package.
"""
