//! The house's own certificate authority: what clients install once to trust the box. It can
//! vouch for servers only (RFC 5280 §4.2.1.12), with names and addresses of a house only
//! (§4.2.1.10), so that its key, stolen, opens nothing else.

use std::sync::Arc;
use std::time::Duration;

use hearth_protocol::limits::days_ms;
use hearth_protocol::refusal::Kind;
use hearth_protocol::sealing::kdf::sha256;
use hearth_store::{Store, StoreError};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, date_time_ymd,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use crate::app::App;
use crate::error::ApiError;

/// What every house is called, beside its host's name.
pub const HOUSE: &str = "hearth.local";

/// Where it lies in the store: the certificate and its key, each as PEM.
const RECORD: &str = "authority";
/// Where no mailbox can be (RFC 6761 §6.4): a subtree for mail that none is in.
const NO_MAIL: &str = "hearth.invalid";
/// Addresses that are never those of a stranger's service on the internet.
const ADDRESSES: [&str; 9] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];
/// 2024-01-01, before which no box ran: a clock that says so stands wrong.
pub(crate) const BORN_MS: u64 = 1_704_067_200_000;
/// Clients whose clocks are behind by this take a certificate that was issued now.
const LEAF_DAYS_BACK: usize = 2;
/// With the days back no more than the 398 that browsers take.
const LEAF_DAYS: usize = 395;
/// A certificate with fewer days left is issued anew.
const LEAF_DAYS_LEFT_MIN: usize = 30;

/// Why there is no authority.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its record.
    #[error("the house's certificate authority in the store does not read; restore a backup")]
    Record,
    /// Making a key or a certificate.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// Reading its own certificates.
    #[error("cannot use the house's certificates: {0}")]
    Use(#[from] rustls::Error),
}

impl From<AuthorityError> for ApiError {
    fn from(error: AuthorityError) -> Self {
        match error {
            AuthorityError::Store(error) => error.into(),
            other => Self::new(Kind::Unavailable, "no_authority", other.to_string())
                .hint("the box's log and `hearth doctor` say more"),
        }
    }
}

/// The authority of a house.
pub struct Authority {
    pem: String,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    verifier: Arc<WebPkiServerVerifier>,
}

/// A certificate of the box with its key.
pub struct Leaf {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// From when, in ms since 1970, it is good.
    pub from_ms: u64,
    /// From when, in ms since 1970, another is to be issued.
    pub renew_ms: u64,
}

impl App {
    /// The house's authority, made when it is first asked for.
    pub async fn authority(&self) -> Result<Arc<Authority>, ApiError> {
        self.authority_of(None).await
    }

    /// The same; if it is not made yet, for a box that has this name too.
    pub async fn authority_of(&self, name: Option<&str>) -> Result<Arc<Authority>, ApiError> {
        let open =
            async || Ok::<_, AuthorityError>(Arc::new(Authority::open(&self.store, name).await?));
        Ok(self.authority.get_or_try_init(open).await?.clone())
    }
}

impl Authority {
    async fn open(store: &Store, name: Option<&str>) -> Result<Self, AuthorityError> {
        if let Some(record) = store.kept(RECORD).await? {
            return Self::read(&record);
        }
        let mut all = names(host_name().as_deref());
        all.extend(names(name));
        all.sort_unstable();
        all.dedup();
        Self::read(&store.keep(RECORD, make(all)?.into_bytes()).await?)
    }

    fn read(record: &[u8]) -> Result<Self, AuthorityError> {
        let text = str::from_utf8(record).map_err(|_| AuthorityError::Record)?;
        let at = text.find("-----BEGIN PRIVATE KEY").ok_or(AuthorityError::Record)?;
        let (pem, key) = text.split_at(at);
        let key = KeyPair::from_pem(key)?;
        let certificate =
            CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| AuthorityError::Record)?;
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone())?;
        let provider = Arc::new(default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|_| AuthorityError::Record)?;
        let issuer = Issuer::new(params(&key), key);
        Ok(Self { pem: pem.to_string(), certificate, issuer, verifier })
    }

    /// Its certificate, as PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The SHA-256 of its certificate, as openssl and browsers show it.
    pub fn fingerprint(&self) -> String {
        let bytes = sha256(&self.certificate);
        bytes.map(|byte| format!("{byte:02X}")).join(":")
    }

    /// Whether it can vouch for a name or an address: what it issued for it holds.
    pub fn vouches_for(&self, name: &str) -> bool {
        let Ok(asked) = ServerName::try_from(name) else { return false };
        let Ok(leaf) = self.issue(vec![name.to_string()], BORN_MS) else { return false };
        let at = UnixTime::since_unix_epoch(Duration::from_millis(BORN_MS));
        self.verifier.verify_server_cert(&leaf.certificate, &[], &asked, &[], at).is_ok()
    }

    /// A fresh key with a certificate for these names and addresses.
    pub fn issue(&self, names: Vec<String>, now_ms: u64) -> Result<Leaf, AuthorityError> {
        let now_ms = now_ms.max(BORN_MS);
        let (from_ms, until_ms) =
            (now_ms.saturating_sub(days_ms(LEAF_DAYS_BACK)), now_ms + days_ms(LEAF_DAYS));
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = named("Hearth");
        params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_millis(from_ms);
        params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_millis(until_ms);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?.der().clone();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let renew_ms = until_ms - days_ms(LEAF_DAYS_LEFT_MIN);
        Ok(Leaf { certificate, key, from_ms, renew_ms })
    }
}

/// A new authority for a box of these names: its certificate and its key, each as PEM.
fn make(names: Vec<String>) -> Result<String, AuthorityError> {
    let key = KeyPair::generate()?;
    Ok(bounded(&key, names).self_signed(&key)?.pem() + &key.serialize_pem())
}

/// What the authority's own certificate says, with all that it is bound to.
fn bounded(key: &KeyPair, names: Vec<String>) -> CertificateParams {
    let mut params = params(key);
    // It does not depend on a clock: a box may stand wrong when it starts for the first time.
    params.not_before = date_time_ymd(2023, 12, 1);
    params.not_after = date_time_ymd(2074, 1, 1);
    let names = names.into_iter().map(GeneralSubtree::DnsName);
    let addresses = ADDRESSES.iter().filter_map(|subnet| subnet.parse::<CidrSubnet>().ok());
    let addresses = addresses.map(GeneralSubtree::IpAddress);
    // A directory name is not bounded: rustls would trust nothing under such a bound.
    let mail = [GeneralSubtree::Rfc822Name(NO_MAIL.to_string())];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.chain(addresses).chain(mail).collect(),
        excluded_subtrees: vec![],
    });
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// What the authority's certificate and what it issues agree in; made again at each start.
fn params(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    // Part of the key in the name: a client that knows two houses does not mix them up.
    let mark = hex_of(&sha256(key.public_key_raw())[..4]);
    params.distinguished_name = named(&format!("Hearth house {mark}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What this box is called, by itself and by `--name`.
pub fn all_names(name: Option<&str>) -> Vec<String> {
    let mut all = names(name);
    all.extend(names(host_name().as_deref()));
    all
}

/// The names of a box: the house's, and its host's with and without `.local` (RFC 6762).
pub fn names(host: Option<&str>) -> Vec<String> {
    let mut names = vec![HOUSE.to_string(), "localhost".to_string()];
    if let Some(host) = host {
        names.push(host.to_string());
        if !host.contains('.') {
            names.push(format!("{host}.local"));
        }
    }
    names.dedup();
    names
}

/// A name that can stand in a certificate, as it stands there.
pub fn parse_name(text: &str) -> Result<String, String> {
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    match ServerName::try_from(name.as_str()) {
        Ok(ServerName::DnsName(_)) => Ok(name),
        _ => Err(format!("`{text}` is no name of a host, such as hearth.home.example")),
    }
}

/// What this machine is called, if that can stand in a certificate.
pub fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    parse_name(name.trim()).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::process::Command;

    use rcgen::SanType;

    use super::*;

    /// The authority of a house on a host called attic.
    pub fn authority() -> Authority {
        Authority::read(make(names(Some("attic"))).unwrap().as_bytes()).unwrap()
    }

    #[test]
    fn it_vouches_for_the_house_its_host_and_addresses_at_home_only() {
        let authority = authority();
        for name in
            ["hearth.local", "localhost", "attic", "attic.local", "127.0.0.1", "::1", "192.168.1.5"]
        {
            assert!(authority.vouches_for(name), "{name}");
        }
        for name in ["example.org", "local", "printer.local", "cellar", "8.8.8.8", "2001:db8::1"] {
            assert!(!authority.vouches_for(name), "{name}");
        }
    }

    fn openssl(args: &[&str]) -> (bool, String) {
        let done = Command::new("openssl").args(args).output().expect("openssl is installed");
        let said = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8(said).unwrap())
    }

    /// Whether openssl takes a certificate, signed by an authority, for a purpose; what it says.
    fn openssl_takes(by: &Authority, params: CertificateParams, purpose: &str) -> (bool, String) {
        let key = KeyPair::generate().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, pem: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, pem).unwrap();
            path.to_str().unwrap().to_string()
        };
        let ca = file("ca.crt", by.pem());
        let leaf = file("leaf.crt", &params.signed_by(&key, &by.issuer).unwrap().pem());
        openssl(&["verify", "-x509_strict", "-purpose", purpose, "-CAfile", &ca, &leaf])
    }

    fn wanted(name: SanType, usage: ExtendedKeyUsagePurpose) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = named("Hearth");
        params.subject_alt_names = vec![name];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        params
    }

    #[test]
    fn another_reader_of_certificates_takes_it_for_servers_and_for_nothing_else() {
        let authority = authority();
        let house = || SanType::DnsName(HOUSE.try_into().unwrap());
        let mail = || SanType::Rfc822Name("anna@example.org".try_into().unwrap());
        let server = || ExtendedKeyUsagePurpose::ServerAuth;
        let (good, said) = openssl_takes(&authority, wanted(house(), server()), "sslserver");
        assert!(good, "{said}");
        for (refused, purpose, why) in [
            (wanted(mail(), server()), "sslserver", "permitted subtree violation"),
            (wanted(house(), ExtendedKeyUsagePurpose::ClientAuth), "sslclient", "purpose"),
            (wanted(house(), ExtendedKeyUsagePurpose::EmailProtection), "smimesign", "purpose"),
        ] {
            let (good, said) = openssl_takes(&authority, refused, purpose);
            assert!(!good && said.contains(why), "{why}: {said}");
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), authority.pem()).unwrap();
        let (_, text) = openssl(&["x509", "-noout", "-text", "-in", file.path().to_str().unwrap()]);
        for line in [
            "CA:TRUE, pathlen:0",
            "TLS Web Server Authentication\n",
            "Name Constraints: critical",
            "email:hearth.invalid",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn an_authority_from_before_its_usage_was_bounded_still_vouches() {
        let key = KeyPair::generate().unwrap();
        let mut params = bounded(&key, names(None));
        params.extended_key_usages.clear();
        let bounds = params.name_constraints.as_mut().unwrap();
        bounds.permitted_subtrees.retain(|tree| !matches!(tree, GeneralSubtree::Rfc822Name(_)));
        let record = params.self_signed(&key).unwrap().pem() + &key.serialize_pem();
        let old = Authority::read(record.as_bytes()).unwrap();
        assert!(old.vouches_for(HOUSE) && !old.vouches_for("example.org"));
        let server = wanted(
            SanType::DnsName(HOUSE.try_into().unwrap()),
            ExtendedKeyUsagePurpose::ServerAuth,
        );
        let (good, said) = openssl_takes(&old, server, "sslserver");
        assert!(good, "{said}");
    }

    #[test]
    fn what_was_kept_vouches_as_before_and_something_else_does_not_read() {
        let record = make(names(None)).unwrap();
        let (one, other) = (authority(), Authority::read(record.as_bytes()).unwrap());
        let again = Authority::read(record.as_bytes()).unwrap();
        assert_eq!(other.fingerprint(), again.fingerprint());
        assert_eq!(other.fingerprint().len(), 32 * 3 - 1);
        assert!(!other.pem().contains("PRIVATE"), "the key stays here");
        let leaf = again.issue(vec![HOUSE.into()], BORN_MS).unwrap();
        let name = ServerName::try_from(HOUSE).unwrap();
        let at = UnixTime::since_unix_epoch(Duration::from_millis(BORN_MS));
        let verify = |by: &Authority| {
            by.verifier.verify_server_cert(&leaf.certificate, &[], &name, &[], at).is_ok()
        };
        assert!(verify(&other) && !verify(&one));
        assert!(Authority::read(b"noise").is_err());
        assert!(Authority::read(other.pem().as_bytes()).is_err());
    }
}
