//! The appliance's state: what every door (REST, MQTT, the admin socket) works on.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use hearth_broker::Broker;
use hearth_protocol::event::Line;
use hearth_protocol::ids::{EventId, Position, RoomId, UserId};
use hearth_protocol::limits::{Limits, wide};
use hearth_protocol::role::RoomType;
use hearth_store::{Change, Edit, Engine, History, Room, Store, StoreError};
use tokio::sync::OnceCell;

use crate::aftermath::Aftermath;
use crate::auth::Auth;
use crate::authority::Authority;
use crate::backups::Backups;
use crate::clock::{Clock, Trust, random};
use crate::error::ApiError;
use crate::grants::Grants;
use crate::membership::{Membership, RoomState};
use crate::moderation::Rates;
use crate::names::check_title;
use crate::refusals::Refusals;
use crate::roles::Roles;
use crate::trouble::{Troubles, Watched};

/// Everything that is shared.
pub struct App {
    /// The limits in force.
    pub limits: Arc<Limits>,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Whether it is right.
    pub trust: Arc<Trust>,
    /// What is on disk.
    pub store: Store,
    /// Who is connected.
    pub broker: Broker,
    /// Who is where.
    pub membership: Arc<Membership>,
    /// Who runs the house.
    pub roles: Arc<Roles>,
    /// Who has which plain topics.
    pub grants: Arc<Grants>,
    /// Who was refused what.
    pub refusals: Refusals,
    /// Who is who.
    pub auth: Auth,
    /// Who writes how fast.
    pub rates: Rates,
    /// Proves that somebody has the set-up link; new at each start.
    setup_secret: [u8; 16],
    /// Where MQTT listens, once it does.
    pub mqtt: OnceLock<SocketAddr>,
    /// What the database could not do.
    pub troubles: Troubles,
    /// The backup that is being made.
    pub backups: Backups,
    /// Vouches for the box, once somebody asked.
    pub(crate) authority: OnceCell<Arc<Authority>>,
}

impl App {
    /// The state over an engine that is open.
    pub async fn open(
        engine: Arc<dyn Engine>,
        limits: Arc<Limits>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, ApiError> {
        let troubles = Troubles::new(clock.clone());
        let engine = Arc::new(Watched::new(engine, troubles.clone()));
        let store = Store::open(engine, limits.clone()).await?;
        let broker = Broker::new(limits.clone());
        let membership = Arc::new(Membership::load(&store).await?);
        let roles = Arc::new(Roles::load(&store).await?);
        let grants = Arc::new(Grants::load(&store).await?);
        let trust = Arc::new(Trust::default());
        let auth = Auth::open(store.clone(), limits.clone(), clock.clone(), trust.clone()).await?;
        store.listen(Arc::new(Aftermath {
            broker: broker.clone(),
            membership: membership.clone(),
            roles: roles.clone(),
            grants: grants.clone(),
            live: auth.live.clone(),
        }));
        let gap_ms = wide(limits.refusal_bell_gap_ms);
        let refusals = Refusals::new(limits.refusals_kept_max, gap_ms);
        let rates = Rates::default();
        let (setup_secret, mqtt, authority) = (random(), OnceLock::new(), OnceCell::new());
        let app = Self {
            limits,
            clock,
            trust,
            store,
            broker,
            membership,
            roles,
            grants,
            refusals,
            auth,
            rates,
            setup_secret,
            mqtt,
            troubles,
            backups: Backups::default(),
            authority,
        };
        app.announce_epochs();
        Ok(Arc::new(app))
    }

    /// Publishes each room's current epoch, retained: the broker's memory begins empty.
    fn announce_epochs(&self) {
        for state in self.membership.rooms() {
            crate::aftermath::announce_epoch(&self.broker, &state);
        }
    }

    /// The box's owner says that the clock is right: what is old may be judged by it again.
    pub async fn trust_clock(&self) -> Result<(), ApiError> {
        let now = self.clock.now_ms();
        self.store.trust(now).await?;
        self.trust.vouch(now);
        tracing::info!("the clock is trusted, as the box's owner says");
        Ok(())
    }

    /// The secret of the set-up link.
    pub fn setup_secret(&self) -> [u8; 16] {
        self.setup_secret
    }

    /// What the house is called.
    pub async fn house_name(&self) -> Result<String, ApiError> {
        Ok(self.store.house().await?.map_or_else(|| "Hearth".to_string(), |house| house.name))
    }

    /// A room that is not stored yet.
    pub fn new_room(
        &self,
        id: RoomId,
        name: &str,
        kind: RoomType,
        by: UserId,
    ) -> Result<Room, ApiError> {
        let now = self.clock.now_ms();
        Ok(Room {
            id,
            name: check_title("a room's name", name, self.limits.room_name_chars_max)?,
            description: String::new(),
            kind,
            sealing: kind.default_sealing(),
            general: false,
            created_at: now,
            created_by: by,
            version: 0,
            epoch: 0,
            rotation_due: false,
            first_position: Position(1),
            last_message_at: now,
            direct: None,
            history: History::All,
            keep_days: 0,
            keep_bytes: 0,
            pins: vec![],
        })
    }

    /// Where a member's sight of a room's history begins.
    pub async fn sight(&self, state: &RoomState, user: UserId) -> Result<Position, ApiError> {
        match state.room.history {
            History::All => Ok(Position::START),
            History::SinceJoin => {
                let member = self.store.member(state.room.id, user).await?;
                Ok(member.ok_or_else(|| ApiError::not_found("room"))?.joined_position)
            }
        }
    }

    /// Ends a membership; a sealed room needs a new epoch before it takes anything more.
    pub async fn remove_member(
        &self,
        state: &RoomState,
        user: UserId,
        by: Option<UserId>,
    ) -> Result<(), ApiError> {
        let (room, now) = (state.room.id, self.clock.now_ms());
        let mut change = Change::of(vec![Edit::RemoveMember { room, user }], now);
        self.mark_rotation_due(&mut change, room);
        change.line(room, Line::Left { user, by }, EventId::new(now, random()));
        self.store.change(change).await?;
        Ok(())
    }

    /// Notes in a change that a sealed room needs a new epoch.
    pub fn mark_rotation_due(&self, change: &mut Change, room: RoomId) {
        if let Some(state) = self.membership.room(room).filter(|state| state.is_sealed()) {
            change.edits.push(Edit::UpdateRoom(Room { rotation_due: true, ..state.room.clone() }));
        }
    }

    /// Makes a change that was checked against the room's version: when somebody was quicker, the
    /// client has to look again.
    pub async fn change_epoch(&self, change: Change) -> Result<(), ApiError> {
        match self.store.change(change).await {
            Err(StoreError::Stale { .. }) => {
                Err(ApiError::conflict("epoch_taken", "the room changed meanwhile")
                    .hint("fetch the bundles and the members and make it again"))
            }
            done => done.map(drop).map_err(ApiError::from),
        }
    }

    /// Ends everything in order: connections first, then what is still on its way to the disk.
    pub async fn close(&self) {
        self.house_closes();
        self.broker.shutdown().await;
        self.backups.stop().await;
        self.store.close().await;
    }
}
