//! Guests whose time is over. The box lets them read nothing more by itself; in rooms that it
//! cannot read their membership ends too, so that members' clients make epochs without them
//! (sealing.md §3, decision 0045).

use hearth_protocol::ids::UserId;
use hearth_protocol::role::RoomType;
use hearth_store::{Change, StoreError};

use crate::app::App;
use crate::membership::RoomState;

impl App {
    /// Takes guests whose time is over out of their sealed rooms; how many memberships ended.
    /// A direct room stays its two people's.
    pub async fn put_out_guests(&self, now_ms: u64) -> Result<usize, StoreError> {
        let mut ended = 0;
        for user in self.auth.live.over(now_ms) {
            for state in self.membership.rooms_of(user) {
                if state.is_sealed() && state.room.kind != RoomType::Direct {
                    self.put_out_guest(&state, user, now_ms).await?;
                    ended += 1;
                }
            }
        }
        Ok(ended)
    }

    async fn put_out_guest(
        &self,
        state: &RoomState,
        user: UserId,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let mut change = Change::of(vec![], now_ms);
        if state.members.len() == 1 {
            self.end_room(&mut change, state, user);
        } else {
            self.hand_over(&mut change, state, user, user);
            self.put_out(&mut change, state, user, None);
        }
        self.store.change(change).await?;
        self.receipts.moved(state.room.id);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use hearth_protocol::ids::{EventId, RoomId};
    use hearth_protocol::role::{HouseRole, RoomRole, Sealing};
    use hearth_protocol::sealing::epoch::Rules;
    use hearth_protocol::sealing::event::Kind;
    use hearth_store::{Edit, User};
    use serde_json::json;

    use super::*;
    use crate::clock::random;
    use crate::testing::sealed::{Epoch, Keyed};
    use crate::testing::{BEGINS_MS, House};

    const DAY: u64 = 24 * 3_600_000;

    /// Makes somebody a guest for a day.
    async fn for_a_day(house: &House, who: &Keyed) {
        let known = house.app.store.user(who.id()).await.unwrap().unwrap();
        let (role, until) = (HouseRole::Guest, BEGINS_MS + DAY);
        let user = User { role, guest_until: Some(until), ..known };
        house.change(vec![Edit::UpdateUser(user)]).await;
    }

    /// A sealed room of these, of whom the first makes it.
    async fn room_of(house: &House, who: &[&Keyed]) -> (RoomId, Epoch) {
        let (room, mut epoch) = house.sealed_room(who[0]).await;
        for count in 2..=who.len() {
            epoch = epoch.next(Rules::new(RoomType::Private), &who[..count]);
            let add = json!({ "user_id": who[count - 1].id(), "bundle": epoch.b64u() });
            let path = format!("/api/rooms/{room}/members");
            house.post(&path, &who[0].person, add).await.is(201);
        }
        (room, epoch)
    }

    #[tokio::test]
    async fn a_guest_whose_time_is_over_leaves_sealed_rooms_and_an_epoch_without_them_comes_first()
    {
        let house = House::new().await;
        let anna = house.keyed("anna", HouseRole::Owner).await;
        let ben = house.keyed("ben", HouseRole::Member).await;
        let gil = house.keyed("gil", HouseRole::Guest).await;
        for_a_day(&house, &gil).await;
        let (room, epoch) = room_of(&house, &[&anna, &ben, &gil]).await;
        let open = house.room(RoomType::Private, Sealing::Open, &[&anna.person, &gil.person]).await;
        let send = async |epoch: &Epoch, seq| {
            let id = EventId::new(BEGINS_MS, random());
            house.send_sealed(room, &anna, &epoch.wire(&anna, id, Kind::Content, seq)).await
        };
        send(&epoch, 1).await.is(201);
        let now = house.app.clock.now_ms();
        assert_eq!(house.app.put_out_guests(now).await.unwrap(), 0, "their day is not over");
        house.later(DAY);
        let anna_now = house.again(&anna.person).await;
        let now = house.app.clock.now_ms();
        assert_eq!(house.app.put_out_guests(now).await.unwrap(), 1);
        assert_eq!(house.app.put_out_guests(now).await.unwrap(), 0, "once");
        let state = |room| house.app.membership.room(room).unwrap();
        assert!(!state(room).members.contains_key(&gil.id()));
        assert!(state(open).members.contains_key(&gil.id()), "the box keeps them from reading it");
        let anna = Keyed { person: anna_now, identity: anna.identity };
        let id = EventId::new(BEGINS_MS, random());
        let wire = epoch.wire(&anna, id, Kind::Content, 2);
        assert_eq!(house.send_sealed(room, &anna, &wire).await.code(), "rotate_first");
        let bundles = format!("/api/rooms/{room}/bundles");
        let with = epoch.next(Rules::new(RoomType::Private), &[&anna, &ben, &gil]);
        let refused = house.post(&bundles, &anna.person, json!({ "bundle": with.b64u() })).await;
        assert_eq!(refused.code(), "lists_stranger");
        let without = epoch.next(Rules::new(RoomType::Private), &[&anna, &ben]);
        house.post(&bundles, &anna.person, json!({ "bundle": without.b64u() })).await.is(201);
        let wire = without.wire(&anna, id, Kind::Content, 2);
        house.send_sealed(room, &anna, &wire).await.is(201);
    }

    #[tokio::test]
    async fn a_room_that_a_guest_owns_gets_another_owner_or_ends() {
        let house = House::new().await;
        let anna = house.keyed("anna", HouseRole::Owner).await;
        let gil = house.keyed("gil", HouseRole::Member).await;
        let (shared, _) = room_of(&house, &[&gil, &anna]).await;
        let (own, _) = room_of(&house, &[&gil]).await;
        for_a_day(&house, &gil).await;
        house.later(DAY);
        assert_eq!(house.app.put_out_guests(house.app.clock.now_ms()).await.unwrap(), 2);
        let left = house.app.membership.room(shared).unwrap();
        let members: Vec<_> = left.members.iter().map(|(user, role)| (*user, *role)).collect();
        assert_eq!(members, [(anna.id(), RoomRole::Owner)]);
        assert!(house.app.membership.room(own).is_none());
    }
}
