//! What changes of a room: its name, its rules, whether it is sealed, what it keeps.

use hearth_protocol::schema::B64u;
use std::sync::Arc;

use hearth_protocol::event::Line;
use hearth_protocol::ids::{EventId, RoomId, UserId};
use hearth_protocol::role::{RoomAction, RoomType, Sealing};
use hearth_protocol::sealing::bundle::Bundle as SealedBundle;
use hearth_protocol::sealing::epoch;
use hearth_store::{Change, Edit, History, Room, Subject};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::bundles::Setting;
use crate::clock::random;
use crate::error::ApiError;
use crate::membership::RoomState;
use crate::moderation::Act;
use crate::names::check_title;

/// What changes of a room: `PUT /api/rooms/{id}`; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct RoomChanges {
    /// 1 to 100 characters.
    pub name: Option<String>,
    /// At most 1,000 characters; may be empty.
    pub description: Option<String>,
    /// Public or private.
    #[serde(rename = "type")]
    pub kind: Option<RoomType>,
    /// `sealed`, for ever.
    pub sealing: Option<Sealing>,
    /// How much of the history a newcomer sees.
    pub history: Option<History>,
    /// Days that an event is kept; 0: as the house's settings say.
    pub keep_days: Option<usize>,
    /// Bytes of events that are kept; 0: as the house's settings say.
    pub keep_bytes: Option<u64>,
    /// The epoch with the new rules, where a sealed room's type or history changes, or it becomes
    /// sealed.
    #[serde(default, with = "hearth_protocol::bytes::option")]
    #[schema(value_type = Option<B64u>)]
    pub bundle: Option<Vec<u8>>,
}

impl App {
    /// Changes a room: its name and what it is about, its rules, how long it keeps its history.
    pub async fn update_room(
        &self,
        room: RoomId,
        by: UserId,
        changes: RoomChanges,
    ) -> Result<Arc<RoomState>, ApiError> {
        let state = self.membership.require(room, by, RoomAction::ManageRoom)?;
        let (old, new) = (&state.room, self.changed_room(&state.room, &changes)?);
        if new == *old && changes.bundle.is_none() {
            return Ok(state);
        }
        let mut change = Change::of(vec![Edit::UpdateRoom(new.clone())], self.clock.now_ms());
        change.checks.push((room, old.version));
        let (history, keep_days, keep_bytes) = (new.history, new.keep_days, new.keep_bytes);
        if (history, keep_days, keep_bytes) != (old.history, old.keep_days, old.keep_bytes) {
            change.edits.push(Edit::SetHistory { room, history, keep_days, keep_bytes });
        }
        self.reseal(&mut change, &state, &new, by, changes.bundle.as_deref()).await?;
        self.not_too_often(Act::Line(by))?;
        if (&new.name, &new.description) != (&old.name, &old.description) {
            let line = Line::Room {
                by,
                title: (new.name != old.name).then(|| new.name.clone()),
                topic: (new.description != old.description).then(|| new.description.clone()),
                pinned: None,
                unpinned: None,
            };
            change.line(room, line, EventId::new(change.at_ms, random()));
        }
        let detail = json!({
            "type": (new.kind != old.kind).then_some(new.kind),
            "sealing": (new.sealing != old.sealing).then_some(new.sealing),
            "history": (history != old.history).then_some(history),
            "keep_days": (keep_days != old.keep_days).then_some(keep_days),
            "keep_bytes": (keep_bytes != old.keep_bytes).then_some(keep_bytes),
        });
        audit::note(&mut change, Some(by), AuditAction::RoomUpdate, Subject::Room(room), detail);
        self.change_epoch(change).await?;
        self.membership.room(room).ok_or_else(|| ApiError::not_found("room"))
    }

    /// The room as it would be, if it may be so.
    fn changed_room(&self, old: &Room, changes: &RoomChanges) -> Result<Room, ApiError> {
        let mut new = old.clone();
        if old.direct.is_some()
            && (changes.name.is_some() || changes.description.is_some() || changes.kind.is_some())
        {
            let message = "a direct room has no name, description or type of its own";
            return Err(ApiError::conflict("direct_room", message));
        }
        if let Some(name) = &changes.name {
            new.name = check_title("a room's name", name, self.limits.room_name_chars_max)?;
        }
        if let Some(text) = &changes.description {
            new.description = self.check_description(text)?;
        }
        new.kind = changes.kind.unwrap_or(old.kind);
        if new.kind == RoomType::Direct && old.direct.is_none() {
            return Err(ApiError::invalid("bad_type", "no room becomes a direct one"));
        }
        if old.general && new.kind != old.kind {
            let message = "the general room is everyone's; it stays public";
            return Err(ApiError::conflict("general_is_everyones", message));
        }
        new.sealing = changes.sealing.unwrap_or(old.sealing);
        if old.sealing == Sealing::Sealed && new.sealing == Sealing::Open {
            let message = "a sealed room stays sealed for ever";
            return Err(ApiError::conflict("sealed_for_ever", message).hint("make another room"));
        }
        new.history = changes.history.unwrap_or(old.history);
        new.keep_days = changes.keep_days.unwrap_or(old.keep_days);
        new.keep_bytes = changes.keep_bytes.unwrap_or(old.keep_bytes);
        Ok(new)
    }

    /// Adds the epoch that a changed room begins with, if it needs one.
    async fn reseal(
        &self,
        change: &mut Change,
        state: &RoomState,
        new: &Room,
        by: UserId,
        bundle: Option<&[u8]>,
    ) -> Result<(), ApiError> {
        let old = &state.room;
        let other_rules =
            (old.sealing, old.kind, old.history) != (new.sealing, new.kind, new.history);
        match (new.sealing, bundle) {
            (Sealing::Open, None) => Ok(()),
            (Sealing::Open, Some(_)) => {
                Err(ApiError::conflict("room_is_open", "an open room has no epochs"))
            }
            (Sealing::Sealed, None) if !other_rules => Ok(()),
            (Sealing::Sealed, None) => {
                let message = "the members vouch for a sealed room's rules: they need a bundle";
                Err(ApiError::conflict("bundle_required", message)
                    .hint("send the next bundle, with the new rules, in the same request"))
            }
            (Sealing::Sealed, Some(bytes)) => {
                let rules = SealedBundle::parse(bytes)?.header.rules;
                let since_join = rules.history == epoch::History::SinceJoin;
                if since_join != (new.history == History::SinceJoin) {
                    let message = "the bundle's rules say otherwise about history";
                    return Err(ApiError::invalid("bad_bundle", message));
                }
                if old.sealing == Sealing::Open {
                    self.end_bare_invites(change, old.id).await?;
                }
                let setting = Setting { room: new, ..Setting::of(state) };
                self.add_bundle(change, setting, by, bytes).await
            }
        }
    }
}
