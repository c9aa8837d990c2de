//! Every number that limits something, with its unit and its reason.
//!
//! Each can be set by name: `serve --limit messages_per_10_s=0` (0 lifts a rate).

use std::fmt;

/// So many hours, in ms.
pub fn hours_ms(hours: usize) -> u64 {
    u64::try_from(hours).unwrap_or(u64::MAX).saturating_mul(3_600_000)
}

/// So many days, in ms.
pub fn days_ms(days: usize) -> u64 {
    hours_ms(days.saturating_mul(24))
}

/// So many seconds, in ms.
pub fn seconds_ms(seconds: usize) -> u64 {
    u64::try_from(seconds).unwrap_or(u64::MAX).saturating_mul(1_000)
}

/// Why a `NAME=NUMBER` was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// No `=`, or no number after it.
    #[error("`{0}` is not NAME=NUMBER")]
    Form(String),
    /// No such limit.
    #[error("there is no limit `{name}`; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// All names, separated by spaces.
        known: String,
    },
}

macro_rules! limits {
    ($($(#[$doc:meta])+ $name:ident = $default:expr;)+) => {
        /// The limits in force.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $($(#[$doc])+ pub $name: usize,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Limits {
            /// Every limit's name, in the order of this page.
            pub const NAMES: &[&str] = &[$(stringify!($name),)+];

            /// Sets one by `NAME=NUMBER`.
            pub fn set(&mut self, text: &str) -> Result<(), LimitError> {
                let form = || LimitError::Form(text.to_string());
                let (name, number) = text.split_once('=').ok_or_else(form)?;
                let number: usize = number.trim().parse().map_err(|_| form())?;
                match name.trim() {
                    $(stringify!($name) => self.$name = number,)+
                    other => return Err(LimitError::Unknown {
                        name: other.to_string(),
                        known: Self::NAMES.join(" "),
                    }),
                }
                Ok(())
            }
        }

        impl fmt::Display for Limits {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(writeln!(f, "{}={}", stringify!($name), self.$name)?;)+
                Ok(())
            }
        }
    };
}

limits! {
    /// Messages of a person in any 10 s, over all doors (seed 004 @Validation); 0 = no limit.
    messages_per_10_s = 10;
    /// Posts a device may make in any 60 s (design §5); 0 = no limit.
    posts_per_60_s = 60;
    /// How long an ack is held back, or a connection not read, before a rate is refused, in ms
    /// (design §5).
    rate_delay_ms_max = 2_000;
    /// Characters of a message (seed 004 @Message).
    message_chars_max = 10_000;
    /// Bytes of an event or a door post on the wire (sealing.md §4, §5).
    event_bytes_max = 64 * 1024;
    /// Characters of a room's name (seed 004 @Validation).
    room_name_chars_max = 100;
    /// Characters of a room's description: as a message's would be too long for a header line.
    room_description_chars_max = 1_000;
    /// Characters of a display name (seed 004 @Validation).
    display_name_chars_max = 50;
    /// Messages on one page of history.
    page_messages_max = 200;
    /// Messages on a page when nobody says how many.
    page_messages_default = 50;
    /// Bytes of a JSON body: two things of 256 KiB each, in base64, stay below.
    json_bytes_max = 1024 * 1024;
    /// Bytes of a vault or of a recovery file.
    vault_bytes_max = 256 * 1024;
    /// Bytes of a bundle.
    bundle_bytes_max = 256 * 1024;
    /// Bytes of an invite's blob.
    invite_blob_bytes_max = 4 * 1024;
    /// Days an invite may live at most.
    invite_days_max = 365;
    /// Times an invite may be used at most.
    invite_uses_max = 1_000;
    /// Hours a JWT is valid (seed 004 @Authentication).
    token_hours = 24;
    /// Days a session lives after its last use (design §7).
    session_days = 90;
    /// Sessions and app tokens one person may hold.
    sessions_per_user_max = 100;
    /// Devices of one room.
    devices_per_room_max = 250;
    /// Grants of one person or device: each is looked at for every plain message.
    grants_per_account_max = 32;
    /// Members of one room: the age file of a bundle grows by 98 B each (facts.md).
    members_per_room_max = 1_000;
    /// Failed logins of one name or address before each further try waits.
    login_tries_free = 5;
    /// The longest wait after failed logins, in s.
    login_wait_s_max = 900;
    /// Logins waiting for the one Argon2 of the box (design §7).
    login_queue_max = 8;

    /// Connections of the broker in all.
    connections_max = 10_000;
    /// Connections of one identity.
    connections_per_identity_max = 100;
    /// Connections from one address (a home's reverse proxy is one address).
    connections_per_address_max = 2_000;
    /// From accept to a complete CONNECT, in ms.
    handshake_ms_max = 10_000;
    /// Bytes of a packet before CONNECT was accepted.
    connect_bytes_max = 16 * 1024;
    /// Bytes of an MQTT packet.
    packet_bytes_max = 128 * 1024;
    /// The longest keep-alive the broker agrees to, in s.
    keep_alive_s_max = 600;
    /// The longest session expiry, in s: a phone in a drawer for a month.
    session_expiry_s_max = 30 * 24 * 3_600;
    /// Unacknowledged QoS 1/2 publishes a client may have under way (receive maximum).
    receive_max = 64;
    /// Unacknowledged QoS 1/2 publishes the broker sends a client.
    in_flight_max = 64;
    /// Subscriptions of one session.
    subscriptions_max = 1_000;
    /// Groups of shared subscriptions of one account: each gets a copy of a message.
    shared_groups_max = 100;
    /// Bytes of a topic or filter.
    topic_bytes_max = 1_024;
    /// Levels of a topic or filter.
    topic_levels_max = 32;
    /// Publishes of one identity in 1 s, over all its connections: far above what a home sends,
    /// far below what one connection could; 0 = no limit.
    publishes_per_s_max = 5_000;
    /// Publishes an identity may save up: a hub that comes back sends all its states at once.
    publishes_burst_max = 10_000;
    /// Topic aliases in each direction.
    topic_alias_max = 32;
    /// Messages waiting in one session.
    queued_messages_max = 10_000;
    /// Bytes waiting in one session.
    queued_bytes_max = 8 * 1024 * 1024;
    /// Bytes of answers waiting for a client at which nothing more is read from it.
    output_bytes_max = 256 * 1024;
    /// Retained messages outside Hearth's own topics.
    retained_max = 10_000;
    /// Bytes of them, topics included: what they may take of a small box's memory.
    retained_bytes_max = 32 * 1024 * 1024;
    /// Retained messages of one identity: one alone cannot take all the places.
    retained_per_identity_max = 5_000;
    /// Persistent sessions of one identity.
    sessions_per_identity_max = 100;
    /// Bytes of a client id.
    client_id_bytes_max = 256;
    /// Refused publishes of one MQTT 3.1.1 session that are known when they come again: as many as
    /// a bridge has under way at a time, and fewer.
    refusals_remembered_max = 16;
    /// Accounts of which the last refused publish is kept to be shown.
    refusals_kept_max = 1_000;
    /// Between two doorbells that tell a person of refused publishes, in ms: a flood rings once.
    refusal_bell_gap_ms = 1_000;
    /// How long somebody without a connection still counts as online, in s (design §5).
    presence_grace_s = 30;
    /// Events read back from history at a time.
    backlog_events_max = 256;
    /// Bytes of room events the bus remembers: a session that lags further reads history.
    bus_ring_bytes = 4 * 1024 * 1024;

    /// Appends that wait for the appender, before `in` is slowed.
    appends_waiting_max = 4_096;
    /// Events in one group commit.
    batch_events_max = 1_024;
    /// Bytes of the database's file that are free before it is compacted: fewer do not pay.
    compaction_free_bytes = 16 * 1024 * 1024;
    /// Percent of that file that are free before it is compacted: what is left is written once
    /// more, which wears a card.
    compaction_free_percent = 50;
    /// Bytes of redb's page cache.
    cache_bytes = 16 * 1024 * 1024;
    /// Bytes free on the data folder's disk, below which `hearth doctor` complains.
    free_bytes_low = 256 * 1024 * 1024;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_set_by_its_name() {
        let mut limits = Limits::default();
        assert_eq!(limits.messages_per_10_s, 10);
        limits.set("messages_per_10_s=0").unwrap();
        assert_eq!(limits.messages_per_10_s, 0);
        assert_eq!(limits.set("x"), Err(LimitError::Form("x".into())));
        assert_eq!(limits.set("receive_max=-1"), Err(LimitError::Form("receive_max=-1".into())));
        assert!(matches!(limits.set("nothing=1"), Err(LimitError::Unknown { .. })));
    }

    #[test]
    fn the_page_reads_back() {
        let mut limits = Limits::default();
        limits.set("receive_max=3").unwrap();
        let mut other = Limits::default();
        for line in limits.to_string().lines() {
            other.set(line).unwrap();
        }
        assert_eq!(limits, other);
    }
}
