"""A front with TLS for a server on loopback: FOLDER PORT. It writes ca.pem (trusted) and other.pem into the folder,
prints the port that it listens on, and hands bytes through until it is ended."""

import datetime
import socket
import ssl
import sys
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(name, key, issuer, issuer_key, authority):
    """A certificate for a name, signed by an issuer's key."""
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    if not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def named(text):
    """A subject with one name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pump(source, sink):
    """Hands bytes on until one side ends."""
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
    except OSError:
        pass
    finally:
        for side in (source, sink):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def serve(context, client, port):
    """One connection."""
    try:
        inner = context.wrap_socket(client, server_side=True)
    except OSError:
        return
    outer = socket.create_connection(("127.0.0.1", port))
    threading.Thread(target=pump, args=(inner, outer), daemon=True).start()
    pump(outer, inner)


def main():
    """Makes the certificates and listens."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    authority_key, key = None, ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    for file in ("other.pem", "ca.pem"):
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = certificate(named(file), authority_key, named(file), authority_key, True)
        (folder / file).write_bytes(authority.public_bytes(pem))
    own = certificate(named("localhost"), key, named("ca.pem"), authority_key, False)
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "own.pem").write_bytes(own.public_bytes(pem) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem")
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(context, client, port), daemon=True).start()


if __name__ == "__main__":
    main()
