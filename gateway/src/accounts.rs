//! How accounts come to be: the set-up of the house, `user add`, and what each begins with.

use std::collections::HashSet;

use hearth_broker::Reason;
use hearth_protocol::ids::{Position, RoomId, UserId};
use hearth_protocol::presence::PresenceChoice;
use hearth_protocol::principal::Account;
use hearth_protocol::refusal::Kind;
use hearth_protocol::role::{HouseRole, RoomRole, RoomType, Sealing};
use hearth_protocol::schema::B64u;
use hearth_protocol::sealing::card::Card;
use hearth_protocol::sealing::vault::Cost;
use hearth_store::{
    Change, Edit, House, Login, Member, Notify, Room, SealedUnder, Subject, User, Vault, users,
};
use serde::Deserialize;
use serde_json::Value;
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::auth::{NewSession, SessionReply, verifier};
use crate::bundles::Setting;
use crate::clock::random;
use crate::error::ApiError;
use crate::feed::seat::End;
use crate::names::{check_title, display_name};

/// What a client brings for a new account, its keys already sealed.
#[derive(Deserialize, ToSchema)]
pub struct NewAccount {
    user_id: UserId,
    name: String,
    display_name: Option<String>,
    #[serde(default)]
    label: String,
    #[serde(with = "hearth_protocol::bytes::array")]
    #[schema(value_type = B64u)]
    salt: [u8; 16],
    cost: Cost,
    #[serde(with = "hearth_protocol::bytes::array")]
    #[schema(value_type = B64u)]
    auth_key: [u8; 32],
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    card: Vec<u8>,
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    vault: Vec<u8>,
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    recovery: Vec<u8>,
}

/// `POST /api/setup`.
#[derive(Deserialize, ToSchema)]
pub struct SetUp {
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    secret: Vec<u8>,
    house: String,
    general: NewGeneral,
    #[serde(flatten)]
    account: NewAccount,
}

/// The general room with its first epoch.
#[derive(Deserialize, ToSchema)]
pub struct NewGeneral {
    id: RoomId,
    name: String,
    #[serde(with = "hearth_protocol::bytes")]
    #[schema(value_type = B64u)]
    bundle: Vec<u8>,
}

impl App {
    /// The first account, its house and the general room, in one commit.
    pub async fn set_up(&self, request: SetUp) -> Result<SessionReply, ApiError> {
        if !self.needs_set_up().await? {
            return Err(ApiError::conflict("already_set_up", "the house is set up already")
                .hint("sign in, or ask for an invite"));
        }
        let expected = self.setup_secret();
        let fits: bool = request.secret.ct_eq(&expected).into();
        if !fits {
            return Err(ApiError::new(
                Kind::Forbidden,
                "wrong_setup_secret",
                "the set-up link is not the one this box printed",
            )
            .hint("use the link that `hearth serve` printed last"));
        }
        let now = self.clock.now_ms();
        let max = self.limits.room_name_chars_max;
        let house = check_title("a house's name", &request.house, max)?;
        let mut change = Change::of(vec![], now);
        change.edits.push(Edit::SetHouse(House { name: house, created_at: now }));
        let (user, session) =
            self.open_account(&mut change, request.account, HouseRole::Owner, None)?;
        let room = Room {
            general: true,
            ..self.new_room(request.general.id, &request.general.name, RoomType::Public, user.id)?
        };
        let room = Room { sealing: Sealing::Sealed, ..room };
        change.edits.push(Edit::PutRoom(room.clone()));
        change.edits.push(Edit::PutMember(member(&room, user.id, RoomRole::Owner, now)));
        let setting = Setting {
            room: &room,
            members: HashSet::from([user.id]),
            devices: HashSet::new(),
            new_invite: None,
        };
        self.add_bundle(&mut change, setting, user.id, &request.general.bundle).await?;
        self.store.change(change).await?;
        tracing::info!(user = %user.id, "the house is set up");
        self.auth.reply(session, user)
    }

    /// An account whose password the box stretches itself; its keys come with its first client.
    pub async fn add_user(&self, name: &str, password: &str) -> Result<User, ApiError> {
        users::check_name(name, &self.limits)?;
        check_password(password)?;
        let now = self.clock.now_ms();
        let mut change = Change::of(vec![], now);
        let first = self.needs_set_up().await?;
        if first {
            let house = House { name: "Home".to_string(), created_at: now };
            change.edits.push(Edit::SetHouse(house));
        }
        let user = User {
            id: UserId::new(now, random()),
            name: name.to_string(),
            display_name: name.to_string(),
            avatar: None,
            status_text: String::new(),
            presence: PresenceChoice::Online,
            blocked: false,
            guest_until: None,
            role: if first { HouseRole::Owner } else { HouseRole::Member },
            created_at: now,
            last_seen: 0,
            login: self.auth.make_login(password).await?,
        };
        change.edits.push(Edit::PutUser(user.clone()));
        audit::note(&mut change, None, AuditAction::UserAdd, Subject::User(user.id), Value::Null);
        if let Some(general) = self.membership.general() {
            self.enter(&mut change, &general.room, user.id);
        }
        self.store.change(change).await?;
        Ok(user)
    }

    /// Ends every connection of a person at once; logins and app tokens stay as they are. `by`:
    /// who runs the house, or (`None`) the box's own shell.
    pub async fn disconnect(&self, user: UserId, by: Option<UserId>) -> Result<(), ApiError> {
        let mut change = Change::of(vec![], self.clock.now_ms());
        audit::note(&mut change, by, AuditAction::UserDisconnect, Subject::User(user), Value::Null);
        self.store.change(change).await?;
        tracing::info!(%user, "disconnected by whoever runs the house");
        self.broker.disconnect(&Account::User(user), Reason::Administrative);
        self.feed.end(|who| who.user() == Some(user), End::Disconnected);
        Ok(())
    }

    /// Whether nobody lives here yet.
    pub async fn needs_set_up(&self) -> Result<bool, ApiError> {
        // The first account and the house are made by one commit.
        Ok(self.store.house().await?.is_none())
    }

    /// Adds an account that brings its keys, with its first login.
    pub(crate) fn open_account(
        &self,
        change: &mut Change,
        new: NewAccount,
        role: HouseRole,
        guest_until: Option<u64>,
    ) -> Result<(User, NewSession), ApiError> {
        users::check_name(&new.name, &self.limits)?;
        new.cost.check()?;
        let user = User {
            id: new.user_id,
            display_name: display_name(new.display_name.as_deref(), &new.name, &self.limits)?,
            avatar: None,
            status_text: String::new(),
            presence: PresenceChoice::Online,
            blocked: false,
            guest_until,
            name: new.name,
            role,
            created_at: change.at_ms,
            last_seen: change.at_ms,
            login: Login { salt: new.salt, cost: new.cost, verifier: verifier(&new.auth_key) },
        };
        change.edits.push(Edit::PutUser(user.clone()));
        self.put_card(change, user.id, new.card)?;
        self.put_vault(change, user.id, 0, (new.vault, new.recovery), None)?;
        let session = self.auth.new_session(user.id, &new.label);
        change.edits.push(Edit::PutSession(session.session.clone()));
        Ok((user, session))
    }

    /// Adds a card after others: each sealed room of its owner needs an epoch that knows it.
    pub async fn follow_card(
        &self,
        change: &mut Change,
        user: UserId,
        bytes: Vec<u8>,
    ) -> Result<(), ApiError> {
        let known = self.store.cards(user).await?;
        let new = !known.is_empty() && !known.contains(&bytes);
        self.put_card(change, user, bytes)?;
        let rooms = self.membership.rooms_of(user);
        for state in rooms.iter().filter(|state| new && state.listed.contains(&user)) {
            self.mark_rotation_due(change, state.room.id);
        }
        Ok(())
    }

    /// Adds a card that is its owner's and verifies by itself.
    pub fn put_card(
        &self,
        change: &mut Change,
        user: UserId,
        bytes: Vec<u8>,
    ) -> Result<(), ApiError> {
        let card = Card::parse_and_verify(&bytes)?;
        if card.user() != user {
            return Err(ApiError::invalid("bad_card", "the card is somebody else's"));
        }
        if !card.is_whole() {
            let message = "the card has a field that this box does not know";
            return Err(ApiError::invalid("bad_card", message));
        }
        self.check_made(card.created(), change.at_ms)?;
        change.edits.push(Edit::PutCard { user, card: bytes });
        Ok(())
    }

    /// Adds the vault (with its recovery file) that follows version `expected` (0: there is none
    /// yet), and what it lies under where that is not the login.
    pub fn put_vault(
        &self,
        change: &mut Change,
        user: UserId,
        expected: u64,
        (vault, recovery): (Vec<u8>, Vec<u8>),
        sealed_under: Option<SealedUnder>,
    ) -> Result<(), ApiError> {
        let max = self.limits.vault_bytes_max;
        if vault.is_empty() || recovery.is_empty() || vault.len() > max || recovery.len() > max {
            let message = format!("vault and recovery file have 1 to {max} bytes");
            return Err(ApiError::invalid("bad_vault", message));
        }
        let vault = Vault { version: expected.saturating_add(1), vault, recovery, sealed_under };
        change.edits.push(Edit::SwapVault { user, expected, vault });
        Ok(())
    }
}

/// A password that is one.
pub fn check_password(password: &str) -> Result<(), ApiError> {
    if (1..=1_024).contains(&password.len()) {
        return Ok(());
    }
    Err(ApiError::invalid("bad_password", "a password has 1 to 1,024 bytes"))
}

/// A membership that begins now.
pub fn member(room: &Room, user: UserId, role: RoomRole, at_ms: u64) -> Member {
    // The appender numbers the line that tells of it; the position is filled in there.
    let (room, joined_position, notify) = (room.id, Position::START, Notify::All);
    Member { room, user, role, joined_at: at_ms, joined_position, notify }
}
