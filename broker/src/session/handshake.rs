//! From the first byte to CONNACK (MQTT 5 §3.1, §3.2).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hearth_protocol::limits::Limits;
use hearth_protocol::principal::Principal;
use hearth_protocol::topic::check_name;
use tokio::time::{Instant, timeout, timeout_at};

use super::attention::Attention;
use super::feed::Feed;
use super::flight::WINDOW_MAX;
use super::frame::Framer;
use super::inbound::Inbound;
use super::keeping::Held;
use super::outbound::Outbound;
use super::pacing::Pacing;
use super::packet::{ConnAck, Connect, Incoming, Outgoing};
use super::stall::Stall;
use super::state::State;
use super::transport::Transport;
use super::wire::{Opening, Wire, opening};
use super::{Connection, KeepAlive};
use crate::bounds::Place;
use crate::gate::{Gate, Login, Version};
use crate::hub::{Hub, assigned_id, mailbox};
use crate::presence::Present;
use crate::reason::Reason;
use crate::registry::{AccountBounds, Entered, Key, Yours};

/// What a 3.1.1 client is told whose version nobody speaks: CONNACK 1 (§3.1.2.2).
const OTHER_VERSION: &[u8] = &[0x20, 2, 0, 1];
/// How long a refused client has to read why.
const LINGER: Duration = Duration::from_secs(2);

/// A no to CONNECT: a reason and a sentence.
type Refused = (Reason, Option<String>);

/// A connection that has said CONNECT.
struct Guest {
    wire: Wire,
    transport: Transport,
    connect: Connect,
}

/// Reads CONNECT, asks the gate, finds the session, and says CONNACK.
pub(super) async fn admit(
    hub: Arc<Hub>,
    transport: Transport,
    peer: SocketAddr,
    place: Place,
    until: Instant,
) -> Option<Connection> {
    let hello = timeout_at(until, hello(&hub, transport));
    let guest = match hub.closing.run_until_cancelled(hello).await {
        Some(Ok(guest)) => guest?,
        Some(Err(_)) => {
            tracing::debug!(%peer, "closed: no CONNECT in time");
            return None;
        }
        None => return None,
    };
    let version = guest.wire.version();
    match enter(&hub, &guest.connect, version, peer, &place, until).await {
        Ok((gate, who, key, assigned, yours)) => {
            let visit = Visit { gate, who, key, assigned };
            Some(welcome(hub, guest, visit, yours, place))
        }
        Err(refused) => {
            refuse(guest, refused, peer).await;
            None
        }
    }
}

/// Reads until CONNECT is whole. `None`: closed, with an answer where there is one.
async fn hello(hub: &Hub, mut transport: Transport) -> Option<Guest> {
    let version = loop {
        match opening(&mut transport.input) {
            Opening::Mqtt(version) => break version,
            Opening::OtherMqtt => {
                transport.output.extend_from_slice(OTHER_VERSION);
                linger(transport).await;
                return None;
            }
            Opening::Foreign => return None,
            Opening::Unknown => read(&mut transport).await?,
        }
    };
    let mut wire = Wire::new(version, hub.limits.connect_bytes_max);
    loop {
        let refused = match wire.decode(&mut transport.input) {
            Ok(Some(Incoming::Connect(connect))) => {
                return Some(Guest { wire, transport, connect: *connect });
            }
            Ok(Some(_)) => return None,
            Ok(None) => {
                read(&mut transport).await?;
                continue;
            }
            Err(reason) => reason,
        };
        tracing::debug!(?refused, "a CONNECT that is none");
        let text = (refused == Reason::TooLarge).then(|| "too_large: CONNECT".to_string());
        let ack = ConnAck { refused: Some((refused, text)), ..ConnAck::default() };
        wire.encode(Outgoing::ConnAck(Box::new(ack)), &mut transport.output);
        linger(transport).await;
        return None;
    }
}

async fn read(transport: &mut Transport) -> Option<()> {
    match transport.read().await {
        Ok(1..) => Some(()),
        Ok(0) | Err(_) => None,
    }
}

async fn linger(mut transport: Transport) {
    if let Ok(Err(cause)) = timeout(LINGER, transport.linger()).await {
        tracing::debug!(%cause, "closed before the refusal was read");
    }
}

async fn refuse(mut guest: Guest, refused: Refused, peer: SocketAddr) {
    tracing::info!(%peer, reason = ?refused.0, "CONNECT refused");
    let ack = ConnAck { refused: Some(refused), ..ConnAck::default() };
    guest.wire.encode(Outgoing::ConnAck(Box::new(ack)), &mut guest.transport.output);
    linger(guest.transport).await;
}

type Admitted = (Arc<dyn Gate>, Arc<Principal>, Key, bool, Yours);

/// Everything that can be refused about a CONNECT, in order of cost.
async fn enter(
    hub: &Arc<Hub>,
    connect: &Connect,
    version: Version,
    peer: SocketAddr,
    place: &Place,
    until: Instant,
) -> Result<Admitted, Refused> {
    if let Some(reason) = place.refused {
        return Err((reason, Some("too_many_connections: try again later".to_string())));
    }
    let shut = (Reason::ServerUnavailable, None);
    let gate = hub.gate.get().filter(|_| !hub.closing.is_cancelled()).ok_or(shut)?;
    check(hub, connect)?;
    let assigned = connect.client_id.is_empty();
    let client_id: Arc<str> = if assigned {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|cause| {
            tracing::error!(%cause, %peer, "no random bytes for a client id");
            (Reason::ServerUnavailable, None)
        })?;
        Arc::from(&*assigned_id(random))
    } else {
        Arc::from(&*connect.client_id)
    };
    let login = Login {
        client_id: client_id.to_string(),
        username: connect.username.as_ref().map(ToString::to_string),
        password: connect.password.clone(),
        version,
        peer,
    };
    let late = |_| (Reason::ServerBusy, None);
    let who = timeout_at(until, gate.admit(login)).await.map_err(late)?;
    let who = who.map_err(|refusal| (Reason::of_login(&refusal), Some(refusal.to_string())))?;
    let (who, key) = (Arc::new(who.clone()), Key { account: who.account(), client_id });
    let bounds = AccountBounds {
        connections_max: hub.limits.connections_per_identity_max,
        sessions_max: hub.limits.sessions_per_identity_max,
    };
    let fresh = mailbox(hub, &key.account);
    let yours = match hub.registry.enter(&key, &who, &fresh, connect.clean, bounds) {
        Entered::Yours(yours) => *yours,
        Entered::Wait(handed) => match timeout_at(until, handed).await {
            Ok(Ok(yours)) => yours,
            Ok(Err(_)) | Err(_) => return Err((Reason::ServerBusy, None)),
        },
        Entered::Full => {
            let text = "too_many_sessions: this account has too many connections or sessions";
            return Err((Reason::QuotaExceeded, Some(text.to_string())));
        }
    };
    hub.departures.call_off(&key, yours.visit);
    // Whoever says goodbye to everyone may have looked a moment before.
    if hub.closing.is_cancelled() {
        let bye = Some((yours.visit, Reason::ShuttingDown));
        yours.mailbox.order(|orders| orders.bye = bye);
    }
    Ok((Arc::clone(gate), who, key, assigned, yours))
}

/// What a CONNECT must not say.
fn check(hub: &Hub, connect: &Connect) -> Result<(), Refused> {
    if connect.enhanced {
        return Err((Reason::BadAuthMethod, Some("no_such_method: use a password".to_string())));
    }
    let id = &connect.client_id;
    if id.len() > hub.limits.client_id_bytes_max || id.chars().any(char::is_control) {
        return Err((Reason::BadClientId, Some("bad_client_id: too long, or not text".into())));
    }
    if let Some(will) = &connect.will
        && (check_name(&will.topic).is_err()
            || will.topic.len() > hub.limits.topic_bytes_max
            || will.topic.split('/').count() > hub.limits.topic_levels_max)
    {
        return Err((Reason::BadTopic, Some("bad_topic: the will's topic is none".into())));
    }
    Ok(())
}

/// Who came in, through which gate.
struct Visit {
    gate: Arc<dyn Gate>,
    who: Arc<Principal>,
    key: Key,
    assigned: bool,
}

/// The CONNACK of a guest who may enter, as the limits have it.
fn ack_for(limits: &Limits, connect: &Connect, version: Version) -> ConnAck {
    let expiry_max = expiry_max(limits);
    let keep_alive_max = u16::try_from(limits.keep_alive_s_max).unwrap_or(u16::MAX);
    // 0 means that the client may be silent for ever, and MQTT lets it (§3.1.2.10); only a
    // longer time than agreed is cut, which 3.1.1 has no way to say.
    let cut = version == Version::V5 && connect.keep_alive_s > keep_alive_max;
    ConnAck {
        expiry_s: connect.expiry_s.is_some_and(|s| s > expiry_max).then_some(expiry_max),
        receive_max: u16::try_from(limits.receive_max).unwrap_or(u16::MAX),
        packet_max: u32::try_from(limits.packet_bytes_max).unwrap_or(u32::MAX),
        alias_max: u16::try_from(limits.topic_alias_max).unwrap_or(u16::MAX),
        keep_alive_s: cut.then_some(keep_alive_max),
        ..ConnAck::default()
    }
}

fn expiry_max(limits: &Limits) -> u32 {
    u32::try_from(limits.session_expiry_s_max).unwrap_or(u32::MAX)
}

/// Says CONNACK and puts the connection together.
fn welcome(hub: Arc<Hub>, guest: Guest, visit: Visit, yours: Yours, place: Place) -> Connection {
    let Guest { mut wire, mut transport, connect } = guest;
    let Visit { gate, who, key, assigned } = visit;
    let limits = Arc::clone(&hub.limits);
    let version = wire.version();
    wire.admit(limits.packet_bytes_max, connect.packet_max);
    let mut ack = ack_for(&limits, &connect, version);
    ack.session_present = yours.state.is_some();
    ack.assigned_id = assigned.then(|| (*key.client_id).into());
    let keep_alive_s = ack.keep_alive_s.unwrap_or(connect.keep_alive_s);
    wire.encode(Outgoing::ConnAck(Box::new(ack)), &mut transport.output);
    let mut state = yours.state.unwrap_or_else(|| Box::new(State::default()));
    state.expiry_s = connect.expiry_s.unwrap_or(u32::MAX).min(expiry_max(&limits));
    state.flight.rewind();
    let window = usize::from(connect.receive_max).min(limits.in_flight_max).clamp(1, WINDOW_MAX);
    let aliases = usize::from(connect.alias_max).min(limits.topic_alias_max);
    let aliases = u16::try_from(aliases).unwrap_or(u16::MAX);
    if let Some((resting, old)) = yours.ended {
        hub.forget(&key.account, &resting.state, &old);
        let number = old.number;
        if let Some(will) = resting.will {
            let (hub, key, who) = (Arc::clone(&hub), key.clone(), Arc::clone(&who));
            hub.tasks.clone().spawn(async move {
                hub.publish_will(&key, who, will, number).await;
            });
        }
    }
    yours.mailbox.arrive(&who);
    let present = Present::enter(&hub, &key.account);
    tracing::debug!(account = %key.account, client_id = %key.client_id, ?version, "connected");
    let mut connection = Connection {
        framer: Framer::new(version, connect.packet_max, aliases),
        inbound: Inbound::new(&limits),
        held: Held::default(),
        save_at: None,
        attention: Attention::new(limits.attention_us),
        pacing: Pacing::new(hub.paces.bucket(&key.account, Instant::now())),
        outbound: Outbound::new(window),
        feed: Feed::new(&limits),
        keep_alive: KeepAlive::new(keep_alive_s, Instant::now()),
        stall: Stall::new(limits.http_stall_ms_max),
        will: connect.will.map(|will| Box::new(will.detached())),
        mailbox: yours.mailbox,
        visit: yours.visit,
        place: Some(place),
        _present: present,
        left: false,
        hub,
        gate,
        who,
        key,
        state,
        wire,
        transport,
    };
    connection.resume();
    connection.keep();
    connection
}
