//! Devices' posts, opened with the doors that their devices ever had (sealing.md §5).

use hearth_protocol::ids::{DeviceId, Epoch, EventId};
use hearth_protocol::sealing::door;
use serde_json::Value;

use super::reading::{Marks, Read, Reader, Said};
use super::spelling::spell_post;
use super::{Member, MemberError};

/// What is said with a post that the box sealed.
const BOX_SAW: &str = " [the box saw this]";
/// What is said with a post that came by a key that was not the device's any more.
const OLDER_KEY: &str = " [sealed with an older key: `hearth device line` has its new line]";

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
        let known = self.keys.as_ref().and_then(|keys| keys.headers().next_back());
        if read.said == Said::Post || known.is_some_and(|now| now.epoch >= self.newest) {
            return Ok(read);
        }
        // Its door may be of an epoch that was told of since.
        self.keys = Some(member.room_keys(self.room.id)?);
        // An epoch that was told of and is not there is asked for once.
        self.newest = 0;
        Ok(self.post(device, Some(id), post, received_at))
    }

    /// Notes the epoch that a line of the box tells of.
    pub(super) fn note_epoch(&mut self, line: &[u8]) {
        let told = serde_json::from_slice::<Value>(line).unwrap_or_default();
        let epoch = told["epoch"].as_u64().and_then(|epoch| Epoch::try_from(epoch).ok());
        self.newest = self.newest.max(epoch.unwrap_or_default());
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
        let device_says = |said, text, marks| {
            let (sender, device) = (None, Some(device));
            Read { id, said, sender, device, text, event: None, marks }
        };
        let unreadable = |why: &str| device_says(Said::Unreadable, why.into(), Marks::default());
        let Some(keys) = &self.keys else {
            return unreadable("[no keys]");
        };
        let mut made: Vec<_> =
            keys.headers().filter_map(|header| header.door(device)).map(|(_, x)| x).collect();
        made.dedup();
        let stands = keys.headers().next_back().is_some_and(|now| now.door(device).is_some());
        let mut renewed = None;
        for epoch in made.into_iter().rev() {
            let opened = keys
                .keys(epoch)
                .and_then(|keys| door::identity(keys, device).ok())
                .and_then(|door| door::open(post, &door).ok());
            if let Some(plaintext) = opened {
                let (mut text, box_saw) = spell_post(&plaintext);
                let older_key = stands && renewed.is_some_and(|at| received_at > at);
                for (mark, told) in [(box_saw, BOX_SAW), (older_key, OLDER_KEY)] {
                    text += if mark { told } else { "" };
                }
                return device_says(Said::Post, text, Marks { box_saw, older_key });
            }
            // No epoch is older than those before it, whatever its maker's clock says.
            let until = keys.headers().filter(|header| header.epoch <= epoch);
            renewed = until.map(|header| header.at).max();
        }
        unreadable("[a post sealed with another key]")
    }
}
