//! The running appliance: opens what lies on disk, listens, prints how to begin, stops in order.

mod doors;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::refusal::Refusal;
use hearth_store::{EngineError, FileError, KeyError, Opened, Passphrase, StoreError};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::admin;
use crate::app::App;
use crate::attachments::Files;
use crate::beginning::Entrance;
use crate::claim::{Claim, OpenHouse};
use crate::clock::SystemClock;
use crate::config::{Config, ConfigError};
use crate::counts;
use crate::error::ApiError;
use crate::feed;
use crate::gate::HouseGate;
use crate::http::server::Server;
use crate::http::trust::Https;
use crate::listening::{Listening, OverTls};
use crate::mqtt_thread::MqttThread;
use crate::notifications;
use crate::presence;
use crate::receipts;
use crate::shelf::HouseShelf;
use crate::sweeps;
use crate::tls::{Identity, Own, TlsError};
use crate::upkeep;
use doors::{Doors, Tls};

/// Why the appliance does not run.
#[derive(Debug, thiserror::Error)]
pub enum ApplianceError {
    /// What it was told makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder.
    #[error(
        "cannot use the data folder {folder}: {cause}; give another with --data, or its rights"
    )]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store's file is empty or not there, and attachments are.
    #[error(
        "{file} is not there, but {files} is: put the database back, or restore a backup; to begin \
         a new house, use another data folder"
    )]
    DatabaseGone {
        /// The database's file.
        file: PathBuf,
        /// The folder of the attachments.
        files: PathBuf,
    },
    /// The store's file.
    #[error(transparent)]
    File(#[from] FileError),
    /// What is in the store's file.
    #[error("cannot open {file}")]
    Store {
        /// Which.
        file: PathBuf,
        /// Why not.
        #[source]
        cause: EngineError,
    },
    /// Whether this program knows the layout of the store's file.
    #[error("cannot take up {file}")]
    Layout {
        /// Which.
        file: PathBuf,
        /// Why not.
        #[source]
        cause: StoreError,
    },
    /// What is in the store.
    #[error("cannot read the house: {0}")]
    House(Refusal),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address.
    #[error(
        "cannot listen on {address} ({flag}): {cause}; stop what uses it, or give another address"
    )]
    Listen {
        /// Which.
        address: SocketAddr,
        /// The flag that sets it.
        flag: &'static str,
        /// Why not.
        cause: io::Error,
    },
    /// The admin socket.
    #[error("cannot make {path}: {cause}")]
    Socket {
        /// Which.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// Anything of the operating system.
    #[error("cannot run: {0}")]
    System(#[from] io::Error),
}

impl From<ApiError> for ApplianceError {
    fn from(ApiError(refusal): ApiError) -> Self {
        Self::House(refusal)
    }
}

async fn bind(address: SocketAddr, flag: &'static str) -> Result<TcpListener, ApplianceError> {
    TcpListener::bind(address).await.map_err(|cause| ApplianceError::Listen {
        address,
        flag,
        cause,
    })
}

/// Runs until `stop` turns true. A house that was not opened waits for `hearth unlock` first, and
/// listens on nothing else meanwhile. `tell` is told when it waits and when it listens.
pub async fn serve(
    config: Config,
    claim: Claim,
    opened: Option<Opened>,
    stop: watch::Receiver<bool>,
    tell: impl Fn(State),
) -> Result<(), ApplianceError> {
    config.check()?;
    let admin = admin::Socket::bind(&config.place.admin_socket())
        .map_err(|cause| ApplianceError::Socket { path: config.place.admin_socket(), cause })?;
    let doors = Doors::bind(&config).await?;
    let entrance = if opened.is_some() { Entrance::Own } else { Entrance::Unlocked };
    let opened = match opened {
        Some(opened) => opened,
        None => {
            let server = Server::new(config.limits.clone(), Arc::default());
            let (open, opened) = watch::channel(false);
            let waiting = async {
                tell(State::Locked);
                let opened = unlocked(&claim, &admin, stop.clone()).await;
                open.send_replace(true);
                opened
            };
            let (opened, ()) = tokio::join!(waiting, doors.locked(server, opened));
            let Some(opened) = opened else {
                admin.remove();
                return Ok(());
            };
            opened
        }
    };
    let mqtt_listener = bind(config.mqtt, "--mqtt").await?;
    let mqtts_listener = match config.mqtts {
        Some(mqtts) => Some(bind(mqtts, "--mqtts").await?),
        None => None,
    };
    let given = config.certificate.as_ref().map(Identity::given).transpose()?;
    let OpenHouse { app, engine, attachments } = claim.open(opened).await?;
    app.note_beginning(entrance).await?;
    let files = Files::new(attachments.clone(), config.clamd.clone(), app.limits.clone());
    app.files.get_or_init(|| files);
    app.broker.know_rooms(app.store.room_heads());
    let sessions = app.broker.restore(Arc::new(HouseShelf::new(app.store.clone()))).await;
    tracing::info!(sessions = sessions.map_err(ApplianceError::House)?, "sessions taken up");
    app.broker.open(Arc::new(HouseGate::new(&app)));
    let mqtt = mqtt_listener.local_addr()?;
    let mqtts = mqtts_listener.as_ref().map(TcpListener::local_addr).transpose()?;
    let https = doors.https()?;
    let listened: Vec<_> = [https, mqtts].into_iter().flatten().collect();
    let identity = match given {
        Some(given) => Some(Arc::new(given)),
        // Asked for only here: what the house needs no certificate for, runs without.
        None if !listened.is_empty() => Some(Arc::new(own(&config, &app, &listened).await?)),
        None => None,
    };
    let over_tls = identity.as_ref().map(|one| OverTls::new(&config, one, https, mqtts));
    let web = over_tls.as_ref().and_then(OverTls::web);
    let tls = identity.clone().zip(web).map(|(identity, https)| Tls { identity, https });
    let http = doors.clear().find(|(_, all)| *all).map(|(address, _)| address);
    app.listening.get_or_init(|| Listening { http, mqtt, tls: over_tls });
    let started = Started {
        http: doors.clear().collect(),
        https: https.zip(tls.as_ref().map(|tls| tls.https.clone())),
        mqtt,
        mqtts,
        fingerprint: identity.as_ref().and_then(|identity| identity.fingerprint.clone()),
        setup: None,
    };
    let link = |url: String| format!("{url}/setup#{}", b64u(&app.setup_secret()));
    let setup = if app.needs_set_up().await? { started.url().map(link) } else { None };
    let started = Started { setup, ..started };
    let mqtt_thread = MqttThread::start()?;
    if let (Some(listener), Some(identity)) = (mqtts_listener, &identity) {
        let (broker, tls) = (app.broker.clone(), identity.mqtts()?);
        mqtt_thread
            .listen(listener, |listener| async move { broker.listen_tls(listener, tls).await })?;
    }
    let doors = doors.open(&app, tls)?;
    tell(State::Listening(&started));
    app.house_opened();
    let numbers_task = tokio::spawn(counts::publish(app.clone(), stop.clone()));
    let upkeep_task = tokio::spawn(upkeep::run(engine.clone(), app.clone(), stop.clone()));
    let alerts_task = tokio::spawn(notifications::run(app.clone(), stop.clone()));
    let sweeps_task = tokio::spawn(sweeps::run(app.clone(), attachments, stop.clone()));
    let receipts_task = tokio::spawn(receipts::run(app.clone(), stop.clone()));
    let presence_task = tokio::spawn(presence::run(app.clone(), stop.clone()));
    let feed_task = tokio::spawn(feed::end_at(app.clone(), stop.clone()));
    let broker = app.broker.clone();
    mqtt_thread.listen(mqtt_listener, |listener| async move { broker.listen(listener).await })?;
    let admin_task = tokio::spawn(admin.serve(app.clone(), stop.clone()));
    let fresh_task = tokio::spawn(fresh(identity, stop.clone()));
    let server = Server::new(app.limits.clone(), app.http.clone());
    doors::serve(&server, doors, &stop).await;
    app.close().await;
    mqtt_thread.end().await;
    let tasks = [
        alerts_task,
        admin_task,
        numbers_task,
        receipts_task,
        sweeps_task,
        upkeep_task,
        presence_task,
        feed_task,
        fresh_task,
    ];
    for task in tasks {
        if let Err(error) = task.await {
            tracing::error!(%error, "a task ended badly");
        }
    }
    // The house is still held by its doors; the database must not be left open for that.
    if let Err(error) = engine.close().await {
        tracing::warn!(%error, "the database was not closed; opening it takes a little longer");
    }
    tracing::info!("stopped; everything acknowledged is on disk");
    Ok(())
}

/// The house's own certificates, for where it listens.
async fn own(
    config: &Config,
    app: &App,
    listened: &[SocketAddr],
) -> Result<Identity, ApplianceError> {
    let name = config.name.as_deref();
    let authority = app.authority_of(name).await?;
    Ok(Identity::own(Own { authority, listened, name, clock: app.clock.clone() })?)
}

/// Keeps a certificate that was given as fresh as its files.
async fn fresh(identity: Option<Arc<Identity>>, stop: watch::Receiver<bool>) {
    if let Some(identity) = identity {
        identity.keep_fresh(stop).await;
    }
}

/// Waits until somebody brings the passphrase.
async fn unlocked(
    claim: &Claim,
    admin: &admin::Socket,
    stop: watch::Receiver<bool>,
) -> Option<Opened> {
    let (keys, limits) = (claim.place.keys.clone(), claim.limits.clone());
    let attempt = move |given: &Passphrase| keys.open(Some(given), &limits);
    let locked = admin::Locked::new(Arc::new(attempt), claim.limits.clone(), Arc::new(SystemClock));
    locked.wait(admin, stop).await
}

/// How far the appliance is.
pub enum State<'a> {
    /// It waits for its passphrase.
    Locked,
    /// It runs.
    Listening(&'a Started),
}

/// Where the appliance listens.
#[derive(Debug, Clone)]
pub struct Started {
    /// HTTP in clear, and whether it is all of it or only how to trust the house.
    pub http: Vec<(SocketAddr, bool)>,
    /// HTTP over TLS, and how it is reached, if at all.
    pub https: Option<(SocketAddr, Https)>,
    /// MQTT.
    pub mqtt: SocketAddr,
    /// MQTT over TLS, if at all.
    pub mqtts: Option<SocketAddr>,
    /// Of the certificate with which the house vouches for itself, where TLS shows its own.
    pub fingerprint: Option<String>,
    /// The set-up link, while nobody lives here.
    pub setup: Option<String>,
}

impl Started {
    /// Where a browser on this machine finds the web client.
    pub fn url(&self) -> Option<String> {
        let clear = self.http.iter().find(|(_, all)| *all);
        let clear = clear.map(|(address, _)| format!("http://{address}"));
        clear.or_else(|| {
            let (_, https) = self.https.as_ref()?;
            Some(https.url(https.names.first()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Place;

    /// What holds the store's file ends with its runtime.
    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Runtime::new().unwrap().block_on(work)
    }

    /// Runs a house until it is ready, with TLS or without.
    fn start(place: &Place, mqtts: bool) -> Result<(), ApplianceError> {
        let any = ([127, 0, 0, 1], 0).into();
        let config = Config {
            place: place.clone(),
            http: vec![any],
            https: None,
            name: None,
            mqtt: any,
            mqtts: mqtts.then_some(any),
            certificate: None,
            clamd: None,
            insecure: false,
            limits: Arc::default(),
        };
        let (stop, stopped) = watch::channel(false);
        let claim = Claim::take(place, Arc::default())?;
        let opened = claim.unlock(None)?;
        run(serve(config, claim, Some(opened), stopped, |_| stop.send(true).unwrap()))
    }

    #[test]
    fn a_house_whose_database_is_gone_does_not_begin_anew_beside_its_attachments() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(&folder.path().join("data"), None);
        run(async {
            let claim = Claim::take(&place, Arc::default()).unwrap();
            let opened = claim.unlock(None).unwrap();
            claim.open(opened).await.unwrap().app.close().await;
        });
        let shelf = place.data.join("files/ab");
        std::fs::create_dir_all(&shelf).unwrap();
        std::fs::write(shelf.join("cat"), "x").unwrap();
        std::fs::remove_file(place.store_file()).unwrap();
        let error = start(&place, false).unwrap_err();
        assert!(error.to_string().contains("put the database back"), "{error}");
        assert!(shelf.join("cat").exists());
    }

    /// A house whose authority was damaged, with TLS or without.
    fn damaged(mqtts: bool) -> Result<(), ApplianceError> {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(&folder.path().join("data"), None);
        run(async {
            let claim = Claim::take(&place, Arc::default()).unwrap();
            let opened = claim.unlock(None).unwrap();
            let app = claim.open(opened).await.unwrap().app;
            app.store.keep("authority", b"noise".to_vec()).await.unwrap();
            app.close().await;
        });
        start(&place, mqtts)
    }

    #[test]
    fn a_damaged_authority_stops_only_a_house_that_shows_its_certificates() {
        damaged(false).unwrap();
        let error = damaged(true).unwrap_err();
        assert!(error.to_string().contains("restore a backup"), "{error}");
    }
}
