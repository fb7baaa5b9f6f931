"""The cluster's certificate authority and the certificates that it signs, all made by openssl."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cluster.failure import ClusterError

_DAYS = "3650"


@dataclass(frozen=True)
class Identity:
    """A certificate and its key. The common name is the user, the organisations are the groups."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates into `folder`; what exists already and names the same addresses is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self.identity = Identity(folder / "ca.crt", folder / "ca.key")
        if not self.identity.certificate.exists():
            self._new_key(self.identity.key)
            self._openssl(
                *("req", "-x509", "-new", "-key", self.identity.key, "-subj", "/CN=tender-local-cluster"),
                *("-days", _DAYS, "-out", self.identity.certificate),
            )

    def signing_key(self, name: str) -> Path:
        """A key without a certificate, as service account tokens need it."""
        key = self._folder / f"{name}.key"
        if not key.exists():
            self._new_key(key)
        return key

    def issue(
        self, name: str, common_name: str, *, groups: Iterable[str] = (), addresses: Iterable[str] = ()
    ) -> Identity:
        """A certificate for clients and, with `addresses` ("DNS:…" or "IP:…"), for serving."""
        issued = Identity(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        extensions = self._folder / f"{name}.ext"
        wanted = "keyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=clientAuth,serverAuth\n"
        if addresses:
            wanted += f"subjectAltName={','.join(addresses)}\n"
        if issued.certificate.exists() and extensions.exists() and extensions.read_text() == wanted:
            return issued
        extensions.write_text(wanted)
        subject = "".join(f"/O={group}" for group in groups) + f"/CN={common_name}"
        request = self._folder / f"{name}.csr"
        unfinished = issued.certificate.with_suffix(".new")
        self._new_key(issued.key)
        self._openssl("req", "-new", "-key", issued.key, "-subj", subject, "-out", request)
        self._openssl(
            *("x509", "-req", "-in", request, "-CA", self.identity.certificate, "-CAkey", self.identity.key),
            *("-CAcreateserial", "-days", _DAYS, "-extfile", extensions, "-out", unfinished),
        )
        request.unlink()
        unfinished.replace(issued.certificate)
        return issued

    def _new_key(self, path: Path) -> None:
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path)
        path.chmod(0o600)

    def _openssl(self, *arguments: str | Path) -> None:
        try:
            done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise ClusterError("openssl is not installed: apt-get install openssl") from None
        if done.returncode:
            raise ClusterError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
