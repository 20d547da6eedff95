"""Real receivers of announcements on loopback: a mail server and an Alertmanager."""

import datetime
import email
import email.policy
import ipaddress
import json
import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness import until


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Authority:
    """An authority with one certificate, for `localhost`."""

    def __init__(self, folder):
        self.authority = folder / "authority.pem"
        self.chain = folder / "server.pem"
        self.key = folder / "server.key"
        root_key, root = self.sign("Test authority", None, None)
        key, certificate = self.sign("localhost", root_key, root)
        pem = serialization.Encoding.PEM
        self.authority.write_bytes(root.public_bytes(pem))
        self.chain.write_bytes(certificate.public_bytes(pem))
        self.key.write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )

    @staticmethod
    def sign(name, signer, issuer):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        )
        if issuer:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return key, builder.sign(signer or key, hashes.SHA256())

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


class Mail:
    """One mail as the server took it."""

    def __init__(self, envelope, is_tls, user):
        self.to = envelope.rcpt_tos
        self.raw = envelope.content
        self.is_tls = is_tls
        self.user = user
        self.message = email.message_from_bytes(envelope.content, policy=email.policy.default)

    def __getitem__(self, name):
        return self.message[name]

    def body(self, kind):
        return self.message.get_body((kind,)).get_content()


class MailServer:
    """aiosmtpd; with an authority it asks for STARTTLS, or speaks TLS at once, and with a password for a login."""

    def __init__(self, authority=None, user=None, password=None, is_implicit=False):
        self.port = free_port()
        self.mails = []
        self.user = user
        self.password = password
        self.authority = authority
        self.is_implicit = is_implicit
        self.controller = None

    def start(self):
        more = {}
        if self.is_implicit:
            more.update(ssl_context=self.authority.context())
        elif self.authority:
            more.update(tls_context=self.authority.context(), require_starttls=True)
        if self.user:
            more.update(authenticator=self.authenticate, auth_required=True)
            # aiosmtpd does not call it TLS when it is there from the beginning.
            more.update(auth_require_tls=not self.is_implicit)
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, **more)
        self.controller.start()
        return self

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None

    def authenticate(self, server, session, envelope, mechanism, data):
        good = (
            isinstance(data, LoginPassword)
            and data.login == self.user.encode()
            and data.password == self.password.encode()
        )
        return AuthResult(success=good, handled=False, auth_data=self.user)

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(Mail(envelope, session.ssl is not None, session.auth_data))
        return "250 taken"


class Alertmanager:
    """Debian's prometheus-alertmanager, by itself and without a cluster."""

    def __init__(self, folder):
        self.folder = folder / "alertmanager"
        self.port = free_port()
        self.process = None
        self.log = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        program = shutil.which("prometheus-alertmanager")
        assert program, "prometheus-alertmanager is not there: scripts/tools.sh alertmanager"
        self.folder.mkdir(exist_ok=True)
        config = self.folder / "alertmanager.yml"
        config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.path={self.folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--cluster.listen-address=",
            ],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        until(self.is_ready, "Alertmanager is ready")
        return self

    def is_ready(self):
        try:
            return urllib.request.urlopen(f"{self.url}/-/ready", timeout=2).status == 200
        except (urllib.error.URLError, OSError):
            return False

    def alerts(self):
        """The alerts that are not over."""
        return json.load(urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10))

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.log.close()
