//! TLS by rustls, with ring chosen by name: nothing process-wide is installed.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::targets::address::{PostgresSettings, TlsMode, TlsRoots};
use crate::targets::{TargetError, TargetErrorKind};

/// What is looked at in the server's certificate.
#[derive(Debug)]
enum Check {
    /// Nothing: the connection is encrypted, and whoever answers is believed.
    Nothing,
    /// The chain of signatures, whatever name the certificate is for.
    Chain(Arc<WebPkiServerVerifier>),
    /// The chain and the name.
    Full(Arc<WebPkiServerVerifier>),
}

/// Makes the driver's TLS connector for these settings.
pub(super) fn connector(settings: &PostgresSettings) -> Result<MakeRustlsConnect, TargetError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let check = match (settings.tls, &settings.roots) {
        (TlsMode::Disable | TlsMode::Prefer, _) | (TlsMode::Require, TlsRoots::System) => {
            Check::Nothing
        }
        (TlsMode::Require | TlsMode::VerifyCa, roots) => Check::Chain(verifier(roots, &provider)?),
        (TlsMode::VerifyFull, roots) => Check::Full(verifier(roots, &provider)?),
    };
    let verifier = Verifier {
        check,
        provider: Arc::clone(&provider),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| other(format!("TLS cannot be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    if settings.other("sslnegotiation") == Some("direct") {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

fn verifier(
    roots: &TlsRoots,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, TargetError> {
    let mut store = RootCertStore::empty();
    match roots {
        TlsRoots::System => {
            // Single certificates that cannot be read are left out, as every client does.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                return Err(TargetError {
                    kind: TargetErrorKind::Configuration,
                    fact: "the operating system has no trusted certificates to check the server's with".to_owned(),
                    remedy: Some("name the authority's certificate: sslrootcert=FILE".to_owned()),
                });
            }
        }
        TlsRoots::File(path) => {
            let unreadable = |what: String| TargetError {
                kind: TargetErrorKind::Configuration,
                fact: format!("sslrootcert {} cannot be used: {what}", path.display()),
                remedy: Some("name a PEM file that holds the authority's certificate".to_owned()),
            };
            let certificates = CertificateDer::pem_file_iter(path)
                .map_err(|error| unreadable(error.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                store
                    .add(certificate)
                    .map_err(|error| unreadable(error.to_string()))?;
            }
            if store.is_empty() {
                return Err(unreadable("it holds no certificate".to_owned()));
            }
        }
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
        .build()
        .map_err(|error| other(format!("TLS cannot be set up: {error}")))
}

fn other(fact: String) -> TargetError {
    TargetError {
        kind: TargetErrorKind::Other,
        fact,
        remedy: None,
    }
}

/// libpq's three ways to look at a certificate. The handshake's own signatures are always checked.
#[derive(Debug)]
struct Verifier {
    check: Check,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        match &self.check {
            Check::Nothing => Ok(ServerCertVerified::assertion()),
            Check::Full(verifier) => verify(verifier),
            // The name is the last thing that is looked at: when only the name is wrong, the chain
            // was found good.
            Check::Chain(verifier) => match verify(verifier) {
                Err(Error::InvalidCertificate(
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. },
                )) => Ok(ServerCertVerified::assertion()),
                verdict => verdict,
            },
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
