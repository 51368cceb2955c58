//! A real HAProxy in front of the emulated Exchange Online.

#![allow(dead_code, reason = "each test binary uses its own part of it")]

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::process::{Child, Command};

/// What the proxy does with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// It passes bytes through, and sees none of them.
    Through,
    /// It ends TLS with a certificate of its own authority, speaks HTTP/2 and opens TLS of its own to the service.
    Ended,
    /// The same, with HTTP/1.1 on both sides.
    EndedForHttp1,
}

/// A running HAProxy; it is killed when this is dropped.
pub(crate) struct Haproxy {
    _child: Child,
    port: u16,
    folder: tempfile::TempDir,
    /// The authorities that a program must trust to use it.
    pub(crate) ca_file: PathBuf,
}

impl Haproxy {
    /// Starts it before the service on `port`, whose authority is in `ca_file`; `rules` stand in its frontend.
    pub(crate) fn start(tls: Tls, port: u16, ca_file: &Path, rules: &str) -> Haproxy {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (pair, own_ca) = certificate();
        std::fs::write(at("proxy.pem"), pair).unwrap();
        let service_ca = std::fs::read_to_string(ca_file).unwrap();
        std::fs::write(at("ca.pem"), format!("{own_ca}{service_ca}")).unwrap();
        let (mode, bind, server) = match tls {
            Tls::Through => ("tcp", String::new(), String::new()),
            Tls::Ended | Tls::EndedForHttp1 => {
                let alpn = if tls == Tls::Ended { "h2,http/1.1" } else { "http/1.1" };
                let server = format!("ssl verify required ca-file {} alpn {alpn}", ca_file.display());
                ("http", format!("ssl crt {} alpn {alpn}", at("proxy.pem").display()), server)
            }
        };
        // The listening socket is this test's, given as standard input: no other program can take its port.
        let config = format!(
            "global\n nbthread 1\n log stderr format raw daemon\n\
             defaults\n log global\n mode {mode}\n timeout connect 1s\n timeout client 60s\n timeout server 60s\n \
             timeout tarpit 1s\n retries 1\n option {mode}log\n\
             frontend door\n bind fd@0 {bind}\n{rules}\n default_backend service\n\
             backend service\n server service 127.0.0.1:{port} {server}\n"
        );
        std::fs::write(at("haproxy.cfg"), config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own_port = listener.local_addr().unwrap().port();
        let child = Command::new("haproxy")
            .args(["-db", "-f"])
            .arg(at("haproxy.cfg"))
            .stdin(OwnedFd::from(listener))
            .stdout(std::fs::File::create(at("out")).unwrap())
            .stderr(std::fs::File::create(at("log")).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let ca_file = at("ca.pem");
        Haproxy { _child: child, port: own_port, folder, ca_file }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// What it said: a line for each connection or request, with how it ended.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

/// A key with a certificate for loopback, and the authority it is from, as PEM.
fn certificate() -> (String, String) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let certificate =
        CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    (certificate.pem() + &key.serialize_pem(), ca_pem)
}
