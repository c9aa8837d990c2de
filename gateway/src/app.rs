//! The appliance's state: what every door (REST, MQTT, the admin socket) works on.

use std::sync::{Arc, OnceLock};

use hearth_broker::Broker;
use hearth_protocol::limits::{Limits, wide};
use hearth_store::{Change, Engine, Store, Subject};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::addresses::Addresses;
use crate::aftermath::Aftermath;
use crate::api::bodies::Bodies;
use crate::attachments::Files;
use crate::audit::{self, AuditAction};
use crate::auth::Auth;
use crate::authority::Authority;
use crate::backups::Backups;
use crate::blocks::Blocks;
use crate::bundles::daily::Daily;
use crate::clock::{Clock, Trust, random};
use crate::error::ApiError;
use crate::feed::Feed;
use crate::grants::Grants;
use crate::http;
use crate::listening::Listening;
use crate::membership::Membership;
use crate::moderation::Rates;
use crate::notifications::Unnoticed;
use crate::presence::Presences;
use crate::receipts::Receipts;
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
    /// Who wants to hear nothing of whom.
    pub blocks: Arc<Blocks>,
    /// Which events nobody was alerted to yet.
    pub unnoticed: Arc<Unnoticed>,
    /// Who has which plain topics.
    pub grants: Arc<Grants>,
    /// Who listens outside MQTT.
    pub feed: Arc<Feed>,
    /// Who is there.
    pub presence: Arc<Presences>,
    /// From where the house is reached.
    pub addresses: Arc<Addresses>,
    /// Who was refused what.
    pub refusals: Refusals,
    /// Who is who.
    pub auth: Auth,
    /// What is being sent to it.
    pub bodies: Bodies,
    /// Who writes how fast.
    pub rates: Rates,
    /// Who made how many epochs today.
    pub bundled: Daily,
    /// Proves that somebody has the set-up link; new at each start.
    setup_secret: [u8; 16],
    /// Where the box listens, once it does.
    pub listening: OnceLock<Listening>,
    /// How busy HTTP is.
    pub http: Arc<http::counters::Counters>,
    /// What the database could not do.
    pub troubles: Troubles,
    /// The backup that is being made.
    pub backups: Backups,
    /// Who has read how far.
    pub receipts: Receipts,
    /// What lies beside the database, once it is open.
    pub files: OnceLock<Files>,
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
        let blocks = Arc::new(Blocks::load(&store).await?);
        let unnoticed = Arc::new(Unnoticed::default());
        let grants = Arc::new(Grants::load(&store).await?);
        let addresses = Arc::new(Addresses::load(&store).await?);
        let trust = Arc::new(Trust::default());
        let auth = Auth::open(store.clone(), limits.clone(), clock.clone(), trust.clone()).await?;
        let feed = Feed::over(&broker, limits.clone())?;
        let presence = Presences::load(&store, broker.clone(), &limits).await?;
        store.listen(Arc::new(Aftermath {
            broker: broker.clone(),
            membership: membership.clone(),
            roles: roles.clone(),
            blocks: blocks.clone(),
            unnoticed: unnoticed.clone(),
            grants: grants.clone(),
            addresses: addresses.clone(),
            live: auth.live.clone(),
            feed: feed.clone(),
            presence: presence.clone(),
        }));
        let gap_ms = wide(limits.refusal_bell_gap_ms);
        let refusals = Refusals::new(limits.refusals_kept_max, gap_ms);
        let (rates, bodies) = (Rates::default(), Bodies::new(&limits));
        let (setup_secret, listening, authority) = (random(), OnceLock::new(), OnceCell::new());
        let app = Self {
            limits,
            clock,
            trust,
            store,
            broker,
            membership,
            roles,
            blocks,
            unnoticed,
            grants,
            feed,
            presence,
            addresses,
            refusals,
            auth,
            bodies,
            rates,
            bundled: Daily::default(),
            setup_secret,
            listening,
            http: Arc::default(),
            troubles,
            backups: Backups::default(),
            receipts: Receipts::default(),
            files: OnceLock::new(),
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
        let mut change = Change::of(vec![], now);
        audit::note(&mut change, None, AuditAction::ClockTrust, Subject::House, Value::Null);
        self.store.change(change).await?;
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

    /// Ends everything in order: connections first, then what is still on its way to the disk.
    pub async fn close(&self) {
        self.house_closes();
        self.feed.close().await;
        self.broker.shutdown().await;
        self.feed.ended().await;
        self.backups.stop().await;
        self.store.close().await;
    }
}
