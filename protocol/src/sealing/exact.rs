//! Signed JSON that says the same to every reader, in whatever language: no field stands twice, an
//! object is no list, numbers are such as JavaScript holds, ids and codes have their one spelling.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{SealingError, kdf};

/// The largest whole number that JavaScript holds exactly: 2^53 − 1.
pub const WHOLE_MAX: u64 = (1 << 53) - 1;

/// The value in JSON bytes; fields that `T` does not know are left out.
pub(super) fn read<T: DeserializeOwned + Serialize>(
    what: &'static str,
    json: &[u8],
) -> Result<T, SealingError> {
    let Unique(written) = kdf::from_json(what, json)?;
    let value: T = kdf::from_json(what, json)?;
    let wrong = |problem: String| SealingError::Json { what, problem };
    let read = serde_json::to_value(&value).map_err(|error| wrong(error.to_string()))?;
    same(&read, &written).map_err(|problem| wrong(problem.to_string()))?;
    Ok(value)
}

/// Whether the bytes say what was read of them and nothing else.
pub(super) fn is_whole<T: Serialize>(value: &T, json: &[u8]) -> bool {
    match (serde_json::to_value(value), serde_json::from_slice::<Value>(json)) {
        (Ok(read), Ok(written)) => read == written,
        _ => false,
    }
}

/// Every part of what was read stands there as it would be written.
fn same(read: &Value, written: &Value) -> Result<(), &'static str> {
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => read
            .iter()
            .try_for_each(|(name, value)| same(value, written.get(name).unwrap_or(&Value::Null))),
        (Value::Array(read), Value::Array(written)) if read.len() == written.len() => {
            read.iter().zip(written).try_for_each(|(read, written)| same(read, written))
        }
        (Value::Number(read), Value::Number(written)) if read == written => {
            match read.as_u64().is_some_and(|number| number <= WHOLE_MAX) {
                true => Ok(()),
                false => Err("a number is not within 0 to 2^53-1"),
            }
        }
        _ if read == written => Ok(()),
        _ => Err("a value is not in its one spelling"),
    }
}

/// A value in which no object names a field twice, at any depth.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Values).map(Unique)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = vec![];
        while let Some(Unique(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if values.contains_key(&name) {
                fields.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom("a field stands twice"));
            }
            let Unique(value) = fields.next_value()?;
            values.insert(name, value);
        }
        Ok(values.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::InviteCode;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Inner {
        code: InviteCode,
        at: u64,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Outer {
        inner: Inner,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        note: Option<String>,
    }

    fn read_at(inner: &str) -> Result<u64, String> {
        let json = format!("{{\"inner\":{inner}}}");
        let outer = read::<Outer>("it", json.as_bytes()).map_err(|error| error.to_string());
        outer.map(|outer| outer.inner.at)
    }

    #[test]
    fn what_other_languages_read_otherwise_is_refused() {
        let most = format!(r#"{{"code":"01Z0ZAJMPV","at":{WHOLE_MAX}}}"#);
        assert_eq!(read_at(&most), Ok(WHOLE_MAX));
        for (inner, why) in [
            (r#"{"code":"01Z0ZAJMPV","at":9007199254740992}"#, "2^53-1"),
            (r#"{"code":"01z0zajmpv","at":1}"#, "one spelling"),
            (r#"["01Z0ZAJMPV",1]"#, "one spelling"),
            (r#"{"code":"01Z0ZAJMPV","at":1,"x":[{"y":1,"y":1}]}"#, "twice"),
            (r#"{"code":"01Z0ZAJMPV","at":1,"\u0061t":1}"#, "twice"),
            (r#"{"code":"01Z0ZAJMPV","at":1.0}"#, "invalid type"),
        ] {
            let problem = read_at(inner).unwrap_err();
            assert!(problem.contains(why), "{inner}: {problem}");
        }
        let deep = format!(r#"{{"code":"01Z0ZAJMPV","at":1,"x":{}1}}"#, "[".repeat(100_000));
        assert!(read_at(&deep).unwrap_err().contains("recursion"));
    }

    #[test]
    fn an_unknown_field_is_left_out_and_told_apart() {
        let known = br#"{"inner":{"at":1,"code":"01Z0ZAJMPV"}}"#;
        let more = br#"{"inner":{"at":1,"code":"01Z0ZAJMPV","later":1e9},"note":null}"#;
        let [known, more] = [&known[..], &more[..]].map(|json| {
            let outer: Outer = read("it", json).unwrap();
            let whole = is_whole(&outer, json);
            (outer, whole)
        });
        assert_eq!((known.0 == more.0, known.1, more.1), (true, true, false));
    }
}
