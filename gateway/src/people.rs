//! People among themselves: who may know of whom, and what whoever runs the house changes of an
//! account.

use hearth_protocol::event::Line;
use hearth_protocol::ids::{EventId, UserId};
use hearth_protocol::limits::days_ms;
use hearth_protocol::role::{HouseAction, HouseRole, RoomRole, RoomType};
use hearth_store::{Change, Edit, Subject, User, users};
use serde_json::json;

use crate::accounts::member;
use crate::api::users::UserView;
use crate::app::App;
use crate::audit::{self, AuditAction};
use crate::clock::random;
use crate::error::ApiError;
use crate::membership::RoomState;
use crate::moderation::Act;

#[cfg(test)]
mod tests;

/// What is changed of an account; `None`: nothing.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// What it is in the house.
    pub role: Option<HouseRole>,
    /// When a guest's account ends, ms since 1970; `Some(None)`: it does not end by itself.
    pub guest_until: Option<Option<u64>>,
    /// Whether it is kept out.
    pub blocked: Option<bool>,
}

impl App {
    /// Whether somebody may know of somebody: the one place that decides it. Who may not find
    /// everybody of the house (a guest) sees the people of the same rooms.
    pub fn may_see(&self, viewer: UserId, user: UserId) -> bool {
        viewer == user || (self.knows(viewer, user) && !self.blocks.apart(viewer, user))
    }

    /// Whether somebody meets somebody in this house, whether or not one of them blocks the other.
    pub fn knows(&self, viewer: UserId, user: UserId) -> bool {
        self.roles.may(viewer, HouseAction::FindPeople)
            || self.membership.share_a_room(viewer, user)
    }

    /// Somebody as somebody else sees them: the one place that decides what of a person is shown
    /// to whom. Of whom they block or are blocked by, or do not meet in this house, they see who it
    /// is, and nothing of how they are.
    pub fn seen_by(&self, viewer: UserId, user: User) -> UserView {
        if self.may_see(viewer, user.id) { UserView::whole(user) } else { UserView::who(user) }
    }

    /// Somebody's account.
    pub async fn person(&self, user: UserId) -> Result<User, ApiError> {
        self.store.user(user).await?.ok_or_else(|| ApiError::not_found("person"))
    }

    /// Refuses who may not manage this account: an owner's or admin's is for owners only. `None`
    /// is the box's own shell, which may.
    pub fn require_over(&self, by: Option<UserId>, user: &User) -> Result<(), ApiError> {
        let Some(by) = by else { return Ok(()) };
        self.roles.require(by, HouseAction::ManagePeople)?;
        if matches!(user.role, HouseRole::Owner | HouseRole::Admin) && by != user.id {
            return self.require_owner(by);
        }
        Ok(())
    }

    fn require_owner(&self, by: UserId) -> Result<(), ApiError> {
        if self.roles.may(by, HouseAction::ManageAdmins) {
            return Ok(());
        }
        Err(ApiError::forbidden("the accounts of owners and admins are for an owner of the house")
            .hint("ask an owner"))
    }

    /// Changes what an account may do, and when it ends.
    pub async fn set_standing(
        &self,
        by: UserId,
        user: UserId,
        standing: Standing,
    ) -> Result<User, ApiError> {
        let _turn = self.auth.turn.lock().await;
        let old = self.person(user).await?;
        self.require_over(Some(by), &old)?;
        let mut new = old.clone();
        let mut change = Change::of(vec![], self.clock.now_ms());
        if let Some(role) = standing.role.filter(|role| *role != old.role) {
            self.change_role(&mut change, by, &mut new, role)?;
        }
        if let Some(until) = standing.guest_until.filter(|until| *until != new.guest_until) {
            self.check_stay(until, change.at_ms)?;
            new.guest_until = until;
            let detail = json!({ "until": until });
            audit::note(
                &mut change,
                Some(by),
                AuditAction::UserGuestUntil,
                Subject::User(user),
                detail,
            );
        }
        if let Some(blocked) = standing.blocked.filter(|blocked| *blocked != old.blocked) {
            self.set_blocked(&mut change, by, &mut new, blocked).await?;
        }
        self.keep_an_owner(&old, &new).await?;
        if new != old {
            change.edits.insert(0, Edit::UpdateUser(new.clone()));
            self.store.change(change).await?;
        }
        Ok(new)
    }

    /// Adds to a change what gives somebody another name, if it is one; that it is free, the store
    /// decides. The old one is anybody's then (decision 0031).
    pub fn rename(
        &self,
        change: &mut Change,
        user: &mut User,
        name: String,
    ) -> Result<(), ApiError> {
        users::check_name(&name, &self.limits)?;
        // Each one that is asked for counts: names are not to be tried out.
        self.not_too_often(Act::Rename(user.id))?;
        let detail = json!({ "from": user.name, "to": name });
        audit::note(change, Some(user.id), AuditAction::UserName, Subject::User(user.id), detail);
        user.name = name;
        Ok(())
    }

    /// A day on which a guest's account may end.
    pub fn check_stay(&self, until: Option<u64>, now_ms: u64) -> Result<(), ApiError> {
        if until.is_some() {
            self.require_guests()?;
        }
        let days = self.limits.guest_days_max;
        let last = now_ms.saturating_add(days_ms(days));
        if until.is_some_and(|until| until <= now_ms || until > last) {
            let message = format!("a guest is let in for at most {days} days from now");
            return Err(ApiError::invalid("bad_expiry", message));
        }
        Ok(())
    }

    fn change_role(
        &self,
        change: &mut Change,
        by: UserId,
        user: &mut User,
        role: HouseRole,
    ) -> Result<(), ApiError> {
        if matches!(role, HouseRole::Owner | HouseRole::Admin) {
            self.require_owner(by)?;
        }
        let detail = json!({ "from": user.role, "to": role });
        audit::note(change, Some(by), AuditAction::UserRole, Subject::User(user.id), detail);
        let was_guest = user.role == HouseRole::Guest;
        user.role = role;
        if role != HouseRole::Guest {
            user.guest_until = None;
        }
        let Some(general) = self.membership.general() else { return Ok(()) };
        let inside = general.members.contains_key(&user.id);
        if role == HouseRole::Guest && inside {
            // A guest sees the rooms they were invited to, and no others.
            self.take_out(change, &general, user.id, by);
        } else if was_guest && role != HouseRole::Guest && !inside {
            self.enter(change, &general.room, user.id);
        }
        Ok(())
    }

    async fn set_blocked(
        &self,
        change: &mut Change,
        by: UserId,
        user: &mut User,
        blocked: bool,
    ) -> Result<(), ApiError> {
        if by == user.id {
            return Err(ApiError::conflict("not_yourself", "nobody blocks their own account"));
        }
        user.blocked = blocked;
        let action = if blocked { AuditAction::UserBlock } else { AuditAction::UserUnblock };
        audit::note(change, Some(by), action, Subject::User(user.id), json!({}));
        if blocked {
            change.edits.extend(self.auth.ends(user.id, None, true).await?);
        }
        Ok(())
    }

    /// Refuses to take the last owner away. The store refuses it too; here it is said with what to
    /// do.
    async fn keep_an_owner(&self, old: &User, new: &User) -> Result<(), ApiError> {
        let runs = |user: &User| user.role == HouseRole::Owner && !user.blocked;
        if !runs(old) || runs(new) {
            return Ok(());
        }
        let users = self.store.users().await?;
        if users.iter().any(|other| other.id != new.id && runs(other)) {
            return Ok(());
        }
        Err(ApiError::conflict("last_owner", "a house keeps an owner who can sign in")
            .hint("make somebody else owner first"))
    }

    /// Ends an account for good: out of every room but the direct ones, signed in nowhere, blocked.
    /// Its id, name and messages stay: history names it.
    pub async fn end_account(&self, by: UserId, user: UserId) -> Result<(), ApiError> {
        let _turn = self.auth.turn.lock().await;
        let old = self.person(user).await?;
        self.require_over(Some(by), &old)?;
        let mut new = User { avatar: None, status_text: String::new(), ..old.clone() };
        let mut change = Change::of(vec![], self.clock.now_ms());
        if old.blocked {
            change.edits.extend(self.auth.ends(user, None, true).await?);
        } else {
            self.set_blocked(&mut change, by, &mut new, true).await?;
        }
        self.keep_an_owner(&old, &new).await?;
        change.edits.insert(0, Edit::UpdateUser(new));
        for state in self.membership.rooms_of(user) {
            if state.room.kind != RoomType::Direct {
                self.hand_over(&mut change, &state, user, by);
                self.take_out(&mut change, &state, user, by);
            }
        }
        audit::note(&mut change, Some(by), AuditAction::UserEnd, Subject::User(user), json!({}));
        self.store.change(change).await?;
        Ok(())
    }

    /// A room whose only owner goes gets another: its oldest admin, else its oldest member.
    fn hand_over(&self, change: &mut Change, state: &RoomState, user: UserId, by: UserId) {
        let others = || state.members.iter().filter(|(id, _)| **id != user);
        let owned = state.members.get(&user) == Some(&RoomRole::Owner);
        if !owned || others().any(|(_, role)| *role == RoomRole::Owner) {
            return;
        }
        // The ids of accounts sort by when they were made.
        let oldest = others().min_by_key(|(id, role)| (**role != RoomRole::Admin, **id));
        if let Some((&heir, _)) = oldest {
            let role = RoomRole::Owner;
            change.edits.push(Edit::UpdateMember(member(&state.room, heir, role, change.at_ms)));
            let id = EventId::new(change.at_ms, random());
            change.line(state.room.id, Line::Role { user: heir, by, role }, id);
        }
    }

    fn take_out(&self, change: &mut Change, state: &RoomState, user: UserId, by: UserId) {
        let room = state.room.id;
        change.edits.push(Edit::RemoveMember { room, user });
        self.mark_rotation_due(change, room);
        let id = EventId::new(change.at_ms, random());
        change.line(room, Line::Left { user, by: Some(by) }, id);
    }

    /// Ends every login of somebody, and with `tokens` their app tokens.
    pub async fn sign_out(&self, by: UserId, user: UserId, tokens: bool) -> Result<(), ApiError> {
        let person = self.person(user).await?;
        self.require_over(Some(by), &person)?;
        let edits = self.auth.ends(user, None, tokens).await?;
        let mut change = Change::of(edits, self.clock.now_ms());
        let detail = json!({ "tokens": tokens });
        audit::note(&mut change, Some(by), AuditAction::UserSignOut, Subject::User(user), detail);
        self.store.change(change).await?;
        Ok(())
    }
}
