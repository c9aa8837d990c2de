//! The relay by which a signed-in device hands a new one its keys (sealing.md §2). What passes is
//! public keys and a sealed message; nobody proves who they are, so everything is bounded: how many
//! channels there are, in all and from one address, how many messages, how long, and for how long.
//! It lies in memory and is gone with the box.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use hearth_protocol::limits::{Limits, seconds_ms};
use hearth_protocol::network::counted_as;
use hearth_protocol::refusal::{Kind, Refusal};

use crate::error::ApiError;

/// A channel's name: 16 bytes that the new device made.
pub type ChannelId = [u8; 16];

struct Channel {
    opened_by: IpAddr,
    ends_ms: u64,
    messages: Vec<Vec<u8>>,
}

/// The channels that are open.
#[derive(Default)]
pub struct Channels {
    open: Mutex<HashMap<ChannelId, Channel>>,
}

impl Channels {
    /// Adds a message, the first of which opens the channel; its number, from 1.
    pub fn put(
        &self,
        id: ChannelId,
        message: Vec<u8>,
        from: IpAddr,
        now_ms: u64,
        limits: &Limits,
    ) -> Result<usize, ApiError> {
        let max = limits.pair_message_bytes_max;
        if message.is_empty() || message.len() > max {
            let message = format!("a message of a pairing has 1 to {max} bytes");
            return Err(ApiError::invalid("bad_message", message));
        }
        let from = counted_as(from);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, channel| channel.ends_ms > now_ms);
        if !open.contains_key(&id) {
            let theirs = open.values().filter(|channel| channel.opened_by == from).count();
            if open.len() >= limits.pair_channels_max
                || theirs >= limits.pair_channels_per_address_max
            {
                let ends = open.values().map(|channel| channel.ends_ms).min().unwrap_or(now_ms);
                let retry_after_ms = ends.saturating_sub(now_ms);
                let kind = Kind::TooMany { retry_after_ms };
                let message = "too many devices are being paired; try again a little later";
                return Err(Refusal::new(kind, "too_many_pairings", message).into());
            }
        }
        let ends_ms = now_ms.saturating_add(seconds_ms(limits.pair_s));
        let channel =
            open.entry(id).or_insert(Channel { opened_by: from, ends_ms, messages: vec![] });
        if channel.messages.len() >= limits.pair_messages_max {
            return Err(ApiError::conflict("channel_full", "this pairing has all its messages")
                .hint("begin a new one"));
        }
        channel.messages.push(message);
        Ok(channel.messages.len())
    }

    /// The messages after the first so many, while the channel is open.
    pub fn after(&self, id: ChannelId, after: usize, now_ms: u64) -> Option<Vec<Vec<u8>>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let channel = open.get(&id).filter(|channel| channel.ends_ms > now_ms)?;
        Some(channel.messages.iter().skip(after).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn code<T>(result: Result<T, ApiError>) -> &'static str {
        result.err().map_or("", |ApiError(refusal)| refusal.code)
    }

    #[test]
    fn three_messages_pass_within_two_minutes() {
        let (channels, limits) = (Channels::default(), Limits::default());
        let put = |message: Vec<u8>, at| channels.put([1; 16], message, HOME, at, &limits);
        assert_eq!(channels.after([1; 16], 0, 0), None);
        assert_eq!(put(vec![1], 0), Ok(1));
        assert_eq!(put(vec![2; 4_096], 1), Ok(2));
        assert_eq!(code(put(vec![2; 4_097], 1)), "bad_message");
        assert_eq!(code(put(vec![], 1)), "bad_message");
        assert_eq!(put(vec![3], 2), Ok(3));
        assert_eq!(code(put(vec![4], 3)), "channel_full");
        assert_eq!(channels.after([1; 16], 2, 119_999), Some(vec![vec![3]]));
        assert_eq!(channels.after([1; 16], usize::MAX, 5), Some(vec![]));
        assert_eq!(channels.after([1; 16], 0, 120_000), None);
        assert_eq!(put(vec![5], 120_000), Ok(1), "a new pairing of that name");
    }

    #[test]
    fn channels_are_bounded_in_all_and_from_one_address() {
        let channels = Channels::default();
        let limits =
            Limits { pair_channels_max: 3, pair_channels_per_address_max: 2, ..Limits::default() };
        let open = |id: u8, from: u8, at| {
            channels.put([id; 16], vec![1], [10, 0, 0, from].into(), at, &limits)
        };
        assert_eq!((open(1, 1, 0), open(2, 1, 1_000)), (Ok(1), Ok(1)));
        assert_eq!(code(open(3, 1, 2_000)), "too_many_pairings");
        assert_eq!(open(3, 2, 2_000), Ok(1));
        let ApiError(refused) = open(4, 3, 2_000).unwrap_err();
        assert_eq!(refused.kind, Kind::TooMany { retry_after_ms: 118_000 });
        assert_eq!(open(1, 9, 2_000), Ok(2), "an open channel goes on");
        assert_eq!(open(4, 3, 120_000), Ok(1), "what is over makes room");
        assert_eq!(channels.open.lock().unwrap().len(), 3);
    }
}
