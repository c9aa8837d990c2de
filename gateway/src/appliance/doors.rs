//! Where the appliance listens for HTTP, and what it answers there: little while it waits for its
//! passphrase, and little in clear beyond loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{ApplianceError, bind};
use crate::app::App;
use crate::authority;
use crate::config::Config;
use crate::http::server::{Door, Server};
use crate::http::trust::Https;
use crate::http::{self, status};
use crate::tls::{Identity, TlsError};

/// The doors, before and after the house is open.
pub(super) struct Doors {
    clear: Vec<Clear>,
    tls: Option<TcpListener>,
}

struct Clear {
    listener: Arc<TcpListener>,
    address: SocketAddr,
    all: bool,
    /// What the box is called there.
    names: Vec<String>,
}

impl Doors {
    /// Takes the addresses.
    pub(super) async fn bind(config: &Config) -> Result<Self, ApplianceError> {
        let mut clear = vec![];
        for asked in &config.http {
            let listener = bind(*asked, "--http").await?;
            let (address, all) = (listener.local_addr()?, config.serves_all_at(*asked));
            let names = authority::all_names(config.name.as_deref());
            clear.push(Clear { listener: Arc::new(listener), address, all, names });
        }
        let tls = match config.https {
            Some(https) => Some(bind(https, "--https").await?),
            None => None,
        };
        Ok(Self { clear, tls })
    }

    /// Where all of it is served in clear, and where only how to trust the house.
    pub(super) fn clear(&self) -> impl Iterator<Item = (SocketAddr, bool)> {
        self.clear.iter().map(|clear| (clear.address, clear.all))
    }

    /// Where TLS listens.
    pub(super) fn https(&self) -> Result<Option<SocketAddr>, ApplianceError> {
        Ok(self.tls.as_ref().map(TcpListener::local_addr).transpose()?)
    }

    /// Answers that the house is locked, until `stop` turns true.
    pub(super) async fn locked(&self, server: Arc<Server>, stop: watch::Receiver<bool>) {
        let served = self.clear.iter().map(|clear| {
            let (listener, routes) = (clear.listener.clone(), http::whole(status::locked()));
            server.clone().serve(Door { listener, routes, tls: None }, stop.clone())
        });
        join_all(served).await;
    }

    /// What each answers once the house is open.
    pub(super) fn open(self, app: &Arc<App>, tls: Option<Tls>) -> Result<Vec<Door>, TlsError> {
        let all = http::routes(app);
        let mut doors = vec![];
        for Clear { listener, address, all: everything, names } in self.clear {
            let routes = match &tls {
                Some(tls) if !everything => http::trust::routes(app, tls.https.clone()),
                _ if address.ip().is_loopback() => http::named(all.clone(), names),
                _ => all.clone(),
            };
            doors.push(Door { listener, routes, tls: None });
        }
        if let (Some(listener), Some(tls)) = (self.tls, tls) {
            let routes = if tls.https.own { all } else { http::strict(all) };
            let acceptor = Some(tls.identity.https()?);
            doors.push(Door { listener: Arc::new(listener), routes, tls: acceptor });
        }
        Ok(doors)
    }
}

/// What HTTPS shows, and where it is.
pub(super) struct Tls {
    pub identity: Arc<Identity>,
    pub https: Https,
}

/// Serves them all until `stop` turns true.
pub(super) async fn serve(server: &Arc<Server>, doors: Vec<Door>, stop: &watch::Receiver<bool>) {
    join_all(doors.into_iter().map(|door| server.clone().serve(door, stop.clone()))).await;
}
