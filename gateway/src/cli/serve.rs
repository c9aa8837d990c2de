//! `hearth serve`: the appliance in the foreground, until it is asked to stop.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args as ClapArgs;
use hearth_protocol::limits::Limits;
use hearth_store::{KeyError, Opened, Passphrase};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use super::{Failure, passphrase, qr};
use crate::appliance::{self, ApplianceError, Started, State};
use crate::attachments::scanner::Scanner;
use crate::claim::Claim;
use crate::config::{Certificate, Config, Place};
use crate::thief;

/// Its options.
#[derive(ClapArgs)]
pub struct Args {
    /// Where HTTP, the web client and MQTT over WebSocket listen.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    http: SocketAddr,
    /// Where MQTT listens.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:1883")]
    mqtt: SocketAddr,
    /// Where MQTT over TLS listens, e.g. 0.0.0.0:8883; nowhere unless given.
    #[arg(long, value_name = "ADDR:PORT")]
    mqtts: Option<SocketAddr>,
    /// The certificate that TLS shows, in PEM; without it the house issues its own (`hearth ca`).
    #[arg(long, value_name = "FILE", requires_all = ["tls_key", "mqtts"])]
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
    let mut limits = Limits::default();
    for text in &args.limit {
        limits.set(text)?;
    }
    let certificate =
        args.tls_cert.zip(args.tls_key).map(|(certificate, key)| Certificate { certificate, key });
    let config = Config {
        place,
        http: args.http,
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
    let mut text = format!(
        "Hearth listens on http://{} (web client, REST, MQTT over WebSocket at /mqtt)\n\
         and on {} (MQTT).\n",
        started.http, started.mqtt
    );
    if let Some(mqtts) = started.mqtts {
        text.push_str(&format!("and on {mqtts} (MQTT over TLS).\n"));
    }
    if let Some(fingerprint) = &started.fingerprint {
        text.push_str(&format!(
            "The house vouches for itself: `hearth ca` and http://{}/ca.crt give the certificate \
             for clients, with SHA-256\n  {fingerprint}\n",
            started.http
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
