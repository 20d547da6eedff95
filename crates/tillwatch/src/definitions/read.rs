//! Typed shapes out of a [`Node`] tree, by serde, with the path of what did not fit.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::node::{Node, Place, Value};

/// Why a node does not fit its shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Misfit {
    /// The message, in the user's words.
    pub message: String,
    /// Where; filled in by the innermost node that was being read.
    pub place: Option<Place>,
    /// The names a misspelt one could have been.
    pub candidates: Vec<String>,
    /// The misspelt name.
    pub unknown: Option<String>,
    /// The key that is missing.
    pub missing: Option<String>,
}

impl Misfit {
    fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            message: message.to_string(),
            place: None,
            candidates: Vec::new(),
            unknown: None,
            missing: None,
        }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self {
            message: format!("unknown key '{field}'"),
            place: None,
            candidates: expected.iter().map(ToString::to_string).collect(),
            unknown: Some(field.to_owned()),
            missing: None,
        }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self {
            message: format!("'{variant}' is none of: {}", expected.join(", ")),
            place: None,
            candidates: expected.iter().map(ToString::to_string).collect(),
            unknown: Some(variant.to_owned()),
            missing: None,
        }
    }

    fn missing_field(field: &'static str) -> Self {
        let mut misfit: Self = Self::custom(format!("the key '{field}' is missing"));
        misfit.missing = Some(field.to_owned());
        misfit
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match unexpected {
            de::Unexpected::Unit => "nothing".to_owned(),
            de::Unexpected::Map => "a mapping".to_owned(),
            de::Unexpected::Seq => "a list".to_owned(),
            de::Unexpected::Str(text) => format!("the text '{text}'"),
            de::Unexpected::Bool(value) => format!("'{value}'"),
            de::Unexpected::Signed(value) => format!("the number {value}"),
            de::Unexpected::Float(value) => format!("the number {value}"),
            other => other.to_string(),
        };
        Self::custom(format!("found {found}, expected {}", in_words(expected)))
    }

    fn invalid_value(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }
}

/// What was expected, without the names of types.
fn in_words(expected: &dyn de::Expected) -> String {
    match expected.to_string().as_str() {
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" | "usize" => "a whole number from 0".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        other => other.to_owned(),
    }
}

/// Reads `node` as a `T`, reporting every misfit it can: a part that does not fit is reported,
/// taken out, and the rest is read again.
///
/// Gives the value if what remained was enough for one, and all misfits.
pub fn read<T: DeserializeOwned>(node: &Node) -> (Option<T>, Vec<Misfit>) {
    let mut node = node.clone();
    let mut misfits: Vec<Misfit> = Vec::new();
    let mut removed: Vec<String> = Vec::new();
    loop {
        match T::deserialize(&node) {
            Ok(value) => return (Some(value), misfits),
            // What was taken out is missing now, which is no fault of its own.
            Err(misfit)
                if misfit
                    .missing
                    .as_ref()
                    .is_some_and(|key| removed.contains(key)) =>
            {
                return (None, misfits);
            }
            Err(misfit) => {
                let taken = misfit.place.and_then(|place| remove(&mut node, place));
                misfits.push(misfit);
                match taken {
                    Some(key) => removed.push(key),
                    None => return (None, misfits),
                }
            }
        }
    }
}

/// Takes the innermost entry out whose key or value stands at `place`, and gives its key; none if there is none.
fn remove(node: &mut Node, place: Place) -> Option<String> {
    match &mut node.value {
        Value::Map(entries) => {
            if let Some(key) = entries
                .iter_mut()
                .find_map(|(_, value)| remove(value, place))
            {
                return Some(key);
            }
            let at = entries
                .iter()
                .position(|(key, value)| key.place == place || value.place == place)?;
            let (key, _) = entries.remove(at);
            Some(key.text().unwrap_or_default().to_owned())
        }
        Value::List(items) => {
            if let Some(key) = items.iter_mut().find_map(|item| remove(item, place)) {
                return Some(key);
            }
            let at = items.iter().position(|item| item.place == place)?;
            items.remove(at);
            Some(String::new())
        }
        _ => None,
    }
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(value) => visitor.visit_borrowed_str(value),
            Value::List(items) => visitor.visit_seq(Items(items.iter())),
            // A mapping begins where its first key does, so what is missing in it is said of the
            // key that holds it: the place is left for that key's reader to fill in.
            Value::Map(entries) => {
                return visitor.visit_map(Entries {
                    rest: entries.iter(),
                    value: None,
                });
            }
        }
        .map_err(|misfit| misfit.at(self.place))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let access = match &self.value {
            Value::Text(_) => Choice {
                name: self,
                content: None,
            },
            Value::Map(entries) => match entries.as_slice() {
                [(key, value)] => Choice {
                    name: key,
                    content: Some(value),
                },
                _ => {
                    return Err(de::Error::custom(format!(
                        "found {} keys, expected exactly one",
                        entries.len()
                    )))
                    .map_err(|misfit: Misfit| misfit.at(self.place));
                }
            },
            _ => {
                return Err(<Misfit as de::Error>::custom(format!(
                    "found {}, expected a name or a mapping with one key",
                    self.kind()
                ))
                .at(self.place));
            }
        };
        visitor.visit_enum(access)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        self.0.next().map(|node| seed.deserialize(node)).transpose()
    }
}

struct Entries<'de> {
    rest: std::slice::Iter<'de, (Node, Node)>,
    value: Option<&'de (Node, Node)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        self.value = self.rest.next();
        self.value
            .map(|(key, _)| seed.deserialize(key).map_err(|misfit| misfit.at(key.place)))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        match self.value {
            Some((key, value)) => seed.deserialize(value).map_err(|misfit| {
                let whole = matches!(value.value, Value::Null | Value::Map(_));
                misfit.at(if whole { key.place } else { value.place })
            }),
            None => Err(de::Error::custom("a value without a key")),
        }
    }
}

struct Choice<'de> {
    name: &'de Node,
    content: Option<&'de Node>,
}

impl<'de> EnumAccess<'de> for Choice<'de> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        let text = self.name.text().unwrap_or_default();
        let name: StrDeserializer<'_, Misfit> = text.into_deserializer();
        let variant = seed
            .deserialize(name)
            .map_err(|misfit| misfit.at(self.name.place))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'de> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        match self.content {
            None => Ok(()),
            Some(node) if node.value == Value::Null => Ok(()),
            Some(node) => Err(<Misfit as de::Error>::custom("takes no settings").at(node.place)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        match self.content {
            Some(node) => seed.deserialize(node),
            None => {
                Err(<Misfit as de::Error>::custom("its settings are missing").at(self.name.place))
            }
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Misfit> {
        match self.content {
            Some(node) => node.deserialize_any(visitor),
            None => {
                Err(<Misfit as de::Error>::custom("its settings are missing").at(self.name.place))
            }
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.tuple_variant(0, visitor)
    }
}
