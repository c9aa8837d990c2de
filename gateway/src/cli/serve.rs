//! `hearth serve`: the appliance in the foreground, until it is asked to stop.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgGroup, Args as ClapArgs};
use hearth_protocol::limits::Limits;
use hearth_store::{KeyError, Opened, Passphrase};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use super::{Failure, passphrase, qr};
use crate::appliance::{self, ApplianceError, Started, State};
use crate::attachments::scanner::Scanner;
use crate::authority;
use crate::claim::Claim;
use crate::config::{Certificate, Config, Place};
use crate::hardening;
use crate::thief;

/// Its options.
#[derive(ClapArgs)]
#[command(group = ArgGroup::new("tls").args(["https", "mqtts"]).multiple(true))]
pub struct Args {
    /// Where HTTP listens in clear: web client, REST and MQTT over WebSocket; beyond loopback only
    /// a page that says how to trust the house, and the way to HTTPS (may be repeated).
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    http: Vec<SocketAddr>,
    /// Where HTTPS listens, e.g. 0.0.0.0:443; nowhere unless given.
    #[arg(long, value_name = "ADDR:PORT")]
    https: Option<SocketAddr>,
    /// What the box is called, beside hearth.local and this machine's name.
    #[arg(long, value_name = "HOST", value_parser = authority::parse_name)]
    name: Option<String>,
    /// Where MQTT listens.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:1883")]
    mqtt: SocketAddr,
    /// Where MQTT over TLS listens, e.g. 0.0.0.0:8883; nowhere unless given.
    #[arg(long, value_name = "ADDR:PORT")]
    mqtts: Option<SocketAddr>,
    /// The certificate that TLS shows, in PEM; without it the house issues its own (`hearth ca`).
    #[arg(long, value_name = "FILE", requires_all = ["tls_key", "tls"])]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The virus scanner clamd, as HOST:PORT or the path of its socket; uploads it does not look
    /// at are refused.
    #[arg(long, value_name = "ADDR|PATH")]
    clamd: Option<Scanner>,
    /// Serve in clear beyond loopback: anyone on the network can read along.
    #[arg(long)]
    insecure: bool,
    /// Set a limit, e.g. messages_per_10_s=0 (may be repeated).
    #[arg(long, value_name = "NAME=NUMBER")]
    limit: Vec<String>,
}

/// Runs until SIGINT or SIGTERM.
pub fn run(place: Place, args: Args) -> Result<(), Failure> {
    let filter = EnvFilter::try_from_env("HEARTH_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,rumqttd=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    if let Err(error) = hardening::raise_open_files() {
        tracing::warn!(%error, "the system's number of open files stays");
    }
    let mut limits = Limits::default();
    for text in &args.limit {
        limits.set(text)?;
    }
    let certificate =
        args.tls_cert.zip(args.tls_key).map(|(certificate, key)| Certificate { certificate, key });
    let config = Config {
        place,
        http: args.http,
        https: args.https,
        name: args.name,
        mqtt: args.mqtt,
        mqtts: args.mqtts,
        certificate,
        clamd: args.clamd,
        insecure: args.insecure,
        limits: Arc::new(limits),
    };
    config.check().map_err(ApplianceError::from)?;
    let claim = Claim::take(&config.place, config.limits.clone())?;
    let opened = opened(&claim)?;
    let thief = thief::sentence(&thief::look(&config.place.keys)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (stop_sender, stop) = watch::channel(false);
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            stop_sender.send_replace(true);
        });
        let tell = |state: State| match state {
            State::Locked => {
                print("Hearth waits for its passphrase: run `hearth unlock`.\n");
                tracing::info!("locked; waiting for `hearth unlock`");
            }
            State::Listening(started) => announce(started, &thief),
        };
        appliance::serve(config, claim, opened, stop, tell).await?;
        Ok(())
    })
}

/// Prints where it listens, and how to begin while nobody lives here.
fn announce(started: &Started, thief: &str) {
    let mut http = started.http.iter().map(|(address, all)| {
        let what = match all {
            true => "web client, REST, MQTT over WebSocket at /mqtt",
            false => "how to trust the house; all else is at HTTPS",
        };
        format!("on http://{address} ({what})")
    });
    let mut text = format!(
        "Hearth listens {}\nand on {} (MQTT).\n",
        http.next().unwrap_or_default(),
        started.mqtt
    );
    if let Some(mqtts) = started.mqtts {
        text.push_str(&format!("and on {mqtts} (MQTT over TLS).\n"));
    }
    if let Some((address, https)) = &started.https {
        let names = https.names.iter().map(|name| format!("\n  {}", https.url(name)));
        let names: String = names.collect();
        text.push_str(&format!("and on {address} (all of HTTP over TLS):{names}\n"));
    }
    for more in http {
        text.push_str(&format!("and {more}\n"));
    }
    if let Some(fingerprint) = &started.fingerprint {
        text.push_str(&format!(
            "The house vouches for itself: `hearth ca` and /ca.crt give the certificate for \
             clients, with SHA-256\n  {fingerprint}\n",
        ));
    }
    text.push_str(&format!("If it is stolen: {thief}.\n"));
    if let Some(link) = &started.setup {
        text.push_str(&format!(
            "\nNobody lives here yet. Open this link to set the house up; it works once:\n\n  \
             {link}\n\n{}\n\
             Then make the key that opens backups, once, and keep it away from this box:\n  \
             hearth backup key FILE\n",
            qr::terminal(link)
        ));
    }
    print(&text);
}

/// The data key, by what there is, or by what is typed. `None` if somebody must bring the
/// passphrase: there is no terminal, so the box waits.
fn opened(claim: &Claim) -> Result<Option<Opened>, Failure> {
    let waits = claim.place.passphrase_file.is_none() && !io::stdin().is_terminal();
    if !waits {
        let attempt = |given: Option<&Passphrase>| claim.unlock(given);
        return passphrase::open(&claim.place, &claim.limits, attempt).map(Some);
    }
    match claim.unlock(None) {
        Err(KeyError::Locked { others }) => {
            for error in others {
                tracing::warn!(%error, "this way did not open the data");
            }
            Ok(None)
        }
        opened => Ok(Some(opened?)),
    }
}

fn print(text: &str) {
    let mut out = io::stdout().lock();
    // Nobody may be reading; the appliance runs all the same.
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        tracing::debug!("nobody reads standard output");
    }
}
