//! Who is there, and whether the house is: retained topics that clients follow (design §4, §5).

use hearth_broker::PresenceChange;
use hearth_protocol::ids::UserId;
use hearth_protocol::topic::Topic;
use hearth_store::Touch;
use serde_json::json;

use crate::app::App;

impl App {
    /// A person came or went: seen by those who share a room with them.
    pub fn person_changed(&self, user: UserId, change: PresenceChange) {
        let now = self.clock.now_ms();
        let status = match change {
            PresenceChange::Online => "online",
            PresenceChange::Offline => "offline",
        };
        self.store.touch(Touch::User(user), now);
        let payload = json!({ "status": status, "last_seen": now });
        self.broker.publish(&Topic::Presence(user), payload.to_string().into(), true);
    }

    /// The house is there from now on.
    pub fn house_opened(&self) {
        let payload = json!({ "status": "online", "version": env!("CARGO_PKG_VERSION") });
        self.broker.publish(&Topic::Status, payload.to_string().into(), true);
    }

    /// The house ends; who is connected is told before.
    pub fn house_closes(&self) {
        let payload = json!({ "status": "offline" });
        self.broker.publish(&Topic::Status, payload.to_string().into(), true);
    }
}
