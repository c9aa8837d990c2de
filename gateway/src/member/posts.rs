//! Devices' posts, opened with the doors that their devices ever had (sealing.md §5).

use hearth_protocol::ids::{DeviceId, EventId};
use hearth_protocol::sealing::door;

use super::reading::{Read, Reader, Said};
use super::spelling::spell_post;
use super::{Member, MemberError};

/// What is said with a post that came by a key that was not the device's any more.
const OLDER_KEY: &str = " (sealed with an older key: `hearth device line` has its new line)";

impl Reader {
    /// device16 ‖ id16 ‖ age file.
    pub(super) fn door(
        &mut self,
        member: &mut Member,
        bytes: &[u8],
        received_at: u64,
    ) -> Result<Read, MemberError> {
        let parts = bytes.split_first_chunk().and_then(|(device, rest)| {
            rest.split_first_chunk().map(|(id, post)| (device, id, post))
        });
        let Some((device, id, post)) = parts else {
            return Ok(Read::unreadable(None, None, "a post without a device"));
        };
        let (device, id) = (DeviceId::from_bytes(*device), EventId::from_bytes(*id));
        let read = self.post(device, Some(id), post, received_at);
        if read.said == Said::Post || !self.newer_keys(member)? {
            return Ok(read);
        }
        Ok(self.post(device, Some(id), post, received_at))
    }

    /// Whether there were epochs that this reader did not know.
    fn newer_keys(&mut self, member: &mut Member) -> Result<bool, MemberError> {
        let known = self.keys.as_ref().and_then(|keys| keys.headers().next_back());
        if !member.has_epoch_after(self.room.id, known.map_or(0, |header| header.epoch))? {
            return Ok(false);
        }
        self.keys = Some(member.room_keys(self.room.id)?);
        Ok(true)
    }

    /// A device's age file, the newest door first. `received_at`: ms since 1970, 0 where nobody
    /// tells; what came before its door was renewed is as it should be.
    pub(super) fn post(
        &self,
        device: DeviceId,
        id: Option<EventId>,
        post: &[u8],
        received_at: u64,
    ) -> Read {
        let device_says = |said, text| {
            let (sender, device) = (None, Some(device));
            Read { id, said, sender, device, text, event: None }
        };
        let Some(keys) = &self.keys else {
            return device_says(Said::Unreadable, "[no keys]".to_string());
        };
        let mut made: Vec<_> =
            keys.headers().filter_map(|header| header.door(device)).map(|(_, x)| x).collect();
        made.dedup();
        let newest = keys.headers().next_back().and_then(|header| header.door(device));
        let renewed = newest.and_then(|(_, epoch)| Some((epoch, keys.header(epoch)?.at)));
        for epoch in made.into_iter().rev() {
            let opened = keys
                .keys(epoch)
                .and_then(|keys| door::identity(keys, device).ok())
                .and_then(|door| door::open(post, &door).ok());
            if let Some(plaintext) = opened {
                let late = renewed.is_some_and(|(now, at)| epoch != now && received_at > at);
                let mark = if late { OLDER_KEY } else { "" };
                return device_says(Said::Post, spell_post(&plaintext) + mark);
            }
        }
        device_says(Said::Unreadable, "[a post sealed with another key]".to_string())
    }
}
