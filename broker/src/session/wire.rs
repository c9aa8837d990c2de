//! Bytes to packets and back. Here and below is the only place that knows the codec.

mod expiry;
mod five;
mod three;

use std::num::{NonZeroU16, NonZeroU32};

use bytes::BytesMut;
use rmqtt_codec::error::DecodeError;
use rmqtt_codec::types::{Publish as CodecPublish, QoS as CodecQos};
use rmqtt_codec::v5::PublishProperties;
use rmqtt_codec::version::{ProtocolVersion, VersionCodec};
use rmqtt_codec::{v3, v5};
use tokio_util::codec::{Decoder, Encoder};

use super::packet::{Incoming, Outgoing, Publication};
use crate::gate::{Properties, Qos, Version};
use crate::reason::Reason;

enum Codec {
    V3(v3::Codec),
    V5(v5::Codec),
}

/// One connection's codec.
pub(crate) struct Wire {
    codec: Codec,
    packet_bytes_max: usize,
}

/// What the first bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Not enough of them yet.
    Unknown,
    /// A CONNECT of this version.
    Mqtt(Version),
    /// MQTT of a version nobody here speaks.
    OtherMqtt,
    /// Anything else.
    Foreign,
}

/// What the first bytes of a connection are.
pub(crate) fn opening(input: &mut BytesMut) -> Opening {
    match VersionCodec.decode(input) {
        Ok(Some(ProtocolVersion::MQTT3)) => Opening::Mqtt(Version::V3),
        Ok(Some(ProtocolVersion::MQTT5)) => Opening::Mqtt(Version::V5),
        Ok(None) => Opening::Unknown,
        Err(DecodeError::InvalidProtocol) if input.windows(6).any(|w| w == b"\0\x04MQTT") => {
            Opening::OtherMqtt
        }
        Err(_) => Opening::Foreign,
    }
}

/// The codec counts what follows the fixed header; limits count whole packets.
fn remaining_max(packet_bytes: usize) -> u32 {
    let header = match packet_bytes {
        0..=129 => 2,
        130..=16_386 => 3,
        16_387..=2_097_155 => 4,
        _ => 5,
    };
    u32::try_from(packet_bytes.saturating_sub(header).max(1)).unwrap_or(u32::MAX)
}

impl Wire {
    /// A codec that takes packets up to so many bytes.
    pub fn new(version: Version, packet_bytes_max: usize) -> Wire {
        let max = remaining_max(packet_bytes_max);
        Wire {
            codec: match version {
                Version::V3 => Codec::V3(v3::Codec::new(max)),
                Version::V5 => Codec::V5(v5::Codec::new(max, 0)),
            },
            packet_bytes_max,
        }
    }

    /// Which MQTT it speaks.
    pub fn version(&self) -> Version {
        match self.codec {
            Codec::V3(_) => Version::V3,
            Codec::V5(_) => Version::V5,
        }
    }

    /// After CONNECT: larger packets come in, and the client says what it takes.
    pub fn admit(&mut self, packet_bytes_max: usize, client_max: Option<u32>) {
        let max = remaining_max(packet_bytes_max);
        self.packet_bytes_max = packet_bytes_max;
        match &mut self.codec {
            Codec::V3(codec) => codec.set_max_size(max),
            Codec::V5(codec) => {
                codec.set_max_inbound_size(max);
                codec.set_max_outbound_size(client_max.unwrap_or(0));
            }
        }
    }

    /// The next whole packet, if it is there.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Incoming>, Reason> {
        let packet = match &mut self.codec {
            Codec::V3(codec) => codec.decode(input).map(|p| p.map(|(p, _)| three::read(p))),
            Codec::V5(codec) => {
                // The codec gets whole packets, or what it will not take.
                let len = expiry::packet_len(input).filter(|len| *len <= self.packet_bytes_max);
                let at_once = match len.map(|len| input.get_mut(..len)) {
                    Some(None) => return Ok(None),
                    Some(Some(packet)) => expiry::patch(packet),
                    None => false,
                };
                let packet = codec.decode(input).map(|p| p.map(|(p, _)| five::read(p)));
                packet.map(|p| p.map(|p| if at_once { expires_at_once(p) } else { p }))
            }
        };
        packet.map_err(|cause| reason(&cause))
    }

    /// Writes a packet. What the client's maximum forbids is left out (MQTT 5 §3.1.2.11.4).
    pub fn encode(&mut self, packet: Outgoing, output: &mut BytesMut) {
        let written = match &mut self.codec {
            Codec::V3(codec) => match three::write(packet) {
                Some(packet) => codec.encode(packet, output),
                None => Ok(()),
            },
            Codec::V5(codec) => match five::write(packet) {
                Some(packet) => codec.encode(packet, output),
                None => Ok(()),
            },
        };
        if let Err(cause) = written {
            tracing::debug!(?cause, "a packet was left out");
        }
    }
}

fn reason(cause: &DecodeError) -> Reason {
    match cause {
        DecodeError::MaxSizeExceeded { .. } => Reason::TooLarge,
        DecodeError::InvalidClientId => Reason::BadClientId,
        DecodeError::UnsupportedProtocolLevel => Reason::UnsupportedVersion,
        DecodeError::InvalidTopicFilter | DecodeError::InvalidProtocol => Reason::ProtocolError,
        DecodeError::InvalidTopicName => Reason::BadTopic,
        _ => Reason::Malformed,
    }
}

fn qos(qos: CodecQos) -> Qos {
    match qos {
        CodecQos::AtMostOnce => Qos::AtMostOnce,
        CodecQos::AtLeastOnce => Qos::AtLeastOnce,
        CodecQos::ExactlyOnce => Qos::ExactlyOnce,
    }
}

fn publication(publish: CodecPublish) -> Incoming {
    let properties = publish.properties.unwrap_or_default();
    Incoming::Publish(Box::new(Publication {
        dup: publish.dup,
        qos: qos(publish.qos),
        retain: publish.retain,
        topic: publish.topic,
        id: publish.packet_id.map(NonZeroU16::get),
        payload: publish.payload,
        alias: properties.topic_alias.map(NonZeroU16::get),
        has_subscription_id: !properties.subscription_ids.is_empty(),
        properties: from_properties(properties),
    }))
}

fn expires_at_once(mut packet: Incoming) -> Incoming {
    match &mut packet {
        Incoming::Publish(publication) => publication.properties.expiry_s = Some(0),
        Incoming::Connect(connect) => {
            if let Some(will) = &mut connect.will {
                will.properties.expiry_s = Some(0);
            }
        }
        _ => {}
    }
    packet
}

fn from_properties(properties: PublishProperties) -> Properties {
    Properties {
        expiry_s: properties.message_expiry_interval.map(NonZeroU32::get),
        utf8: properties.is_utf8_payload,
        content_type: properties.content_type,
        response_topic: properties.response_topic,
        correlation: properties.correlation_data,
        user: properties.user_properties,
    }
}
