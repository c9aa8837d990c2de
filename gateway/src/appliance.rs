//! The running appliance: opens what lies on disk, listens, prints how to begin, stops in order.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hearth_protocol::bytes::b64u;
use hearth_protocol::limits::Limits;
use hearth_protocol::refusal::Refusal;
use hearth_store::{EngineError, FileError, FileFolder, KeyError, Redb, load_or_create};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::admin;
use crate::app::App;
use crate::clock::SystemClock;
use crate::config::{Config, ConfigError, Place};
use crate::counts;
use crate::error::ApiError;
use crate::gate::HouseGate;
use crate::http;
use crate::shelf::HouseShelf;
use crate::tls::{self, TlsError};
use crate::upkeep;

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

/// Opens the house at a place: its folder, key and store.
pub async fn open(place: &Place, limits: Arc<Limits>) -> Result<Arc<App>, ApplianceError> {
    let engine = open_engine(place, &limits).await?;
    Ok(App::open(engine, limits, Arc::new(SystemClock)).await?)
}

async fn open_engine(place: &Place, limits: &Limits) -> Result<Arc<Redb>, ApplianceError> {
    make_folder(&place.data)
        .map_err(|cause| ApplianceError::Folder { folder: place.data.clone(), cause })?;
    let key = load_or_create(&place.data, &place.key_file)?;
    let file = place.store_file();
    let (folder, disk) = FileFolder::open(&file)?;
    let engine = Redb::open_in(Arc::new(folder), Arc::new(disk), &key, limits.cache_bytes);
    Ok(Arc::new(engine.map_err(|cause| ApplianceError::Store { file, cause })?))
}

fn make_folder(data: &Path) -> io::Result<()> {
    if !data.is_dir() {
        fs::create_dir_all(data)?;
        fs::set_permissions(data, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

async fn bind(address: SocketAddr, flag: &'static str) -> Result<TcpListener, ApplianceError> {
    TcpListener::bind(address).await.map_err(|cause| ApplianceError::Listen {
        address,
        flag,
        cause,
    })
}

/// Runs until `stop` turns true. `ready` is told where it listens.
pub async fn serve(
    config: Config,
    stop: watch::Receiver<bool>,
    ready: impl FnOnce(&Started),
) -> Result<(), ApplianceError> {
    config.check()?;
    let http_listener = bind(config.http, "--http").await?;
    let mqtt_listener = bind(config.mqtt, "--mqtt").await?;
    let mqtts_listener = match config.mqtts {
        Some(mqtts) => Some(bind(mqtts, "--mqtts").await?),
        None => None,
    };
    let certificate = config.certificate.as_ref().map(tls::given).transpose()?;
    let engine = open_engine(&config.place, &config.limits).await?;
    let app = App::open(engine.clone(), config.limits.clone(), Arc::new(SystemClock)).await?;
    app.broker.know_rooms(app.store.room_heads());
    let sessions = app.broker.restore(Arc::new(HouseShelf::new(app.store.clone()))).await;
    tracing::info!(sessions = sessions.map_err(ApplianceError::House)?, "sessions taken up");
    app.broker.open(Arc::new(HouseGate::new(app.clone())));
    let (http, mqtt) = (http_listener.local_addr()?, mqtt_listener.local_addr()?);
    app.mqtt.get_or_init(|| mqtt);
    let admin = admin::Socket::bind(&config.place.admin_socket())
        .map_err(|cause| ApplianceError::Socket { path: config.place.admin_socket(), cause })?;
    let setup = app
        .needs_set_up()
        .await?
        .then(|| format!("http://{http}/setup#{}", b64u(&app.setup_secret())));
    let mut started = Started { http, mqtt, mqtts: None, fingerprint: None, setup };
    let mut mqtts_task = None;
    if let Some(listener) = mqtts_listener {
        let mqtts = listener.local_addr()?;
        let tls = match certificate {
            Some(given) => given,
            // Asked for only here: what the house needs no certificate for, runs without.
            None => {
                let authority = app.authority().await?;
                started.fingerprint = Some(authority.fingerprint());
                tls::own(authority, mqtts, app.clock.clone())?
            }
        };
        started.mqtts = Some(mqtts);
        let broker = app.broker.clone();
        let listening = async move { broker.listen_tls(listener, Arc::new(tls)).await };
        mqtts_task = Some(tokio::spawn(listening));
    }
    ready(&started);
    app.house_opened();
    let numbers_task = tokio::spawn(counts::publish(app.clone(), stop.clone()));
    let upkeep_task = tokio::spawn(upkeep::run(engine, config.limits.clone(), stop.clone()));
    let broker = app.broker.clone();
    let mqtt_task = tokio::spawn(async move { broker.listen(mqtt_listener).await });
    let admin_task = tokio::spawn(admin.serve(app.clone(), stop.clone()));
    http::serve(http_listener, http::routes(&app), app.limits.connections_max, stop).await;
    app.close().await;
    for task in [mqtt_task, admin_task, numbers_task, upkeep_task].into_iter().chain(mqtts_task) {
        if let Err(error) = task.await {
            tracing::error!(%error, "a task ended badly");
        }
    }
    tracing::info!("stopped; everything acknowledged is on disk");
    Ok(())
}

/// Where the appliance listens.
#[derive(Debug, Clone)]
pub struct Started {
    /// HTTP and MQTT over WebSocket.
    pub http: SocketAddr,
    /// MQTT.
    pub mqtt: SocketAddr,
    /// MQTT over TLS, if at all.
    pub mqtts: Option<SocketAddr>,
    /// Of the certificate with which the house vouches for itself, where TLS shows its own.
    pub fingerprint: Option<String>,
    /// The set-up link, while nobody lives here.
    pub setup: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What holds the store's file ends with its runtime.
    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Runtime::new().unwrap().block_on(work)
    }

    /// Runs a house until it is ready, with TLS or without.
    fn start(place: &Place, mqtts: bool) -> Result<(), ApplianceError> {
        let any = ([127, 0, 0, 1], 0).into();
        let config = Config {
            place: place.clone(),
            http: any,
            mqtt: any,
            mqtts: mqtts.then_some(any),
            certificate: None,
            insecure: false,
            limits: Arc::default(),
        };
        let (stop, stopped) = watch::channel(false);
        run(serve(config, stopped, |_| stop.send(true).unwrap()))
    }

    /// A house whose authority was damaged, with TLS or without.
    fn damaged(mqtts: bool) -> Result<(), ApplianceError> {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(&folder.path().join("data"), None);
        run(async {
            let app = open(&place, Arc::default()).await.unwrap();
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
