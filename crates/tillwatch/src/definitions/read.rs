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
    pub candidates: &'static [&'static str],
    /// The misspelt name.
    pub unknown: Option<String>,
    /// The key that is missing.
    pub missing: Option<&'static str>,
    /// The item of a list that is of no use without what is missing or wrong in it.
    pub item: Option<Box<Place>>,
    /// Whether it makes the item it stands in useless.
    spoils_item: bool,
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
            candidates: &[],
            unknown: None,
            missing: None,
            item: None,
            spoils_item: false,
        }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self {
            candidates: expected,
            unknown: Some(field.to_owned()),
            ..Self::custom(format!("unknown key '{field}'"))
        }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self {
            candidates: expected,
            unknown: Some(variant.to_owned()),
            ..Self::custom(format!("'{variant}' is none of: {}", expected.join(", ")))
        }
    }

    fn missing_field(field: &'static str) -> Self {
        let mut misfit: Self = Self::custom(format!("the key '{field}' is missing"));
        misfit.missing = Some(field);
        misfit.spoils_item = true;
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
        "struct Title" => "a mapping with `en`, and perhaps `zh`".to_owned(),
        other => other.to_owned(),
    }
}

/// Misfits of one item that are told; more are told when these are mended. Each costs another reading.
const MISFITS_MAX: usize = 100;

/// Reads `node` as a `T`, reporting every misfit it can: a part that does not fit is reported,
/// taken out, and the rest is read again.
///
/// Gives the value if what remained was enough for one, and all misfits.
pub fn read<T: DeserializeOwned>(node: &Node) -> Reading<T> {
    let mut node = node.clone();
    let mut reading = Reading {
        value: None,
        misfits: Vec::new(),
        removed_items: Vec::new(),
    };
    let mut removed: Vec<String> = Vec::new();
    loop {
        match T::deserialize(&node) {
            Ok(value) => {
                reading.value = Some(value);
                return reading;
            }
            Err(misfit) => {
                // What was taken out is missing now, which is no fault of its own.
                let is_told =
                    (misfit.missing).is_some_and(|key| removed.iter().any(|gone| gone == key));
                let taken = match misfit.item.as_deref() {
                    Some(&place) => remove_item(&mut node, place).then_some(Taken::Item(place)),
                    None if is_told => None,
                    None => misfit.place.and_then(|place| remove(&mut node, place)),
                };
                if !is_told {
                    reading.misfits.push(misfit);
                }
                match taken {
                    _ if reading.misfits.len() >= MISFITS_MAX => return reading,
                    Some(Taken::Entry(key)) => removed.push(key),
                    Some(Taken::Item(place)) => reading.removed_items.push(place),
                    None => return reading,
                }
            }
        }
    }
}

/// What reading a node gave.
#[derive(Debug)]
pub struct Reading<T> {
    /// The value, if what remained was enough for one.
    pub value: Option<T>,
    /// What did not fit.
    pub misfits: Vec<Misfit>,
    /// The items of lists that the value lacks, by where they stand.
    pub removed_items: Vec<Place>,
}

/// What was taken out.
enum Taken {
    /// The entry of a mapping, by its key.
    Entry(String),
    /// The item of a list, by its place.
    Item(Place),
}

/// Takes the outermost item of a list out that stands at `place`; false if there is none.
fn remove_item(node: &mut Node, place: Place) -> bool {
    match &mut node.value {
        Value::Map(entries) => entries
            .iter_mut()
            .any(|(_, value)| remove_item(value, place)),
        Value::List(items) => match items.iter().position(|item| item.place == place) {
            Some(at) => {
                items.remove(at);
                true
            }
            None => items.iter_mut().any(|item| remove_item(item, place)),
        },
        _ => false,
    }
}

/// Takes the innermost entry out whose key or value stands at `place`, or the item; none if there is none.
fn remove(node: &mut Node, place: Place) -> Option<Taken> {
    match &mut node.value {
        Value::Map(entries) => {
            if let Some(taken) = entries
                .iter_mut()
                .find_map(|(_, value)| remove(value, place))
            {
                return Some(taken);
            }
            let at = entries
                .iter()
                .position(|(key, value)| key.place == place || value.place == place)?;
            let (key, _) = entries.remove(at);
            Some(Taken::Entry(key.text().unwrap_or_default().to_owned()))
        }
        Value::List(items) => {
            if let Some(taken) = items.iter_mut().find_map(|item| remove(item, place)) {
                return Some(taken);
            }
            let at = items.iter().position(|item| item.place == place)?;
            items.remove(at);
            Some(Taken::Item(place))
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
                    without: None,
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
        let name = match &self.value {
            Value::Text(_) => self,
            // A mapping says by an entry of its own which of several shapes it has.
            Value::Map(_) => match self.entry(TAG) {
                Some((_, name)) if name.text().is_some() => name,
                Some((key, name)) => {
                    let message = format!("found {}, expected a name", name.kind());
                    let mut misfit = <Misfit as de::Error>::custom(message).at(key.place);
                    misfit.spoils_item = true;
                    return Err(misfit);
                }
                None => return Err(<Misfit as de::Error>::missing_field(TAG)),
            },
            _ => {
                return Err(<Misfit as de::Error>::custom(format!(
                    "found {}, expected a name or a mapping with `{TAG}`",
                    self.kind()
                ))
                .at(self.place));
            }
        };
        let access = Choice {
            name,
            content: self,
        };
        visitor.visit_enum(access)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The entry of a mapping that says which of several shapes it has.
const TAG: &str = "kind";

struct Items<'de>(std::slice::Iter<'de, Node>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let Some(node) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(node).map(Some).map_err(|mut misfit| {
            if misfit.spoils_item && misfit.item.is_none() {
                misfit.item = Some(Box::new(node.place));
            }
            misfit.at(node.place)
        })
    }
}

struct Entries<'de> {
    rest: std::slice::Iter<'de, (Node, Node)>,
    value: Option<&'de (Node, Node)>,
    /// An entry that is passed over, having been read before.
    without: Option<&'static str>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let without = self.without;
        let is_read = |key: &Node| without.is_some_and(|name| key.text() == Some(name));
        self.value = self.rest.find(|(key, _)| !is_read(key));
        self.value
            .map(|(key, _)| seed.deserialize(key).map_err(|misfit| misfit.at(key.place)))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        match self.value {
            Some((key, value)) => seed.deserialize(value).map_err(|mut misfit| {
                // The entry goes, and what holds it may do without.
                misfit.spoils_item = false;
                let whole = matches!(value.value, Value::Null | Value::Map(_));
                misfit.at(if whole { key.place } else { value.place })
            }),
            None => Err(de::Error::custom("a value without a key")),
        }
    }
}

/// One of several shapes, told by a name.
struct Choice<'de> {
    name: &'de Node,
    /// The name itself, or the mapping it is an entry of.
    content: &'de Node,
}

impl<'de> Choice<'de> {
    fn entries<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.content.value {
            Value::Map(entries) => visitor.visit_map(Entries {
                rest: entries.iter(),
                value: None,
                without: Some(TAG),
            }),
            _ => Err(<Misfit as de::Error>::custom("its settings are missing").at(self.name.place)),
        }
    }
}

impl<'de> EnumAccess<'de> for Choice<'de> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        let text = self.name.text().unwrap_or_default();
        let name: StrDeserializer<'_, Misfit> = text.into_deserializer();
        let variant = seed.deserialize(name).map_err(|mut misfit| {
            misfit.spoils_item = matches!(self.content.value, Value::Map(_));
            misfit.at(self.name.place)
        })?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'de> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        match self.content.entries() {
            [] | [_] => Ok(()),
            _ => Err(<Misfit as de::Error>::custom("takes no settings").at(self.name.place)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        seed.deserialize(Rest(self))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.entries(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.entries(visitor)
    }
}

/// The entries of a mapping but for the one that told its shape.
struct Rest<'de>(Choice<'de>);

impl<'de> Deserializer<'de> for Rest<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.0.entries(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::node::parse;
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Round {
        radius: i64,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Form {
        Round(Round),
        Square { side: i64 },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Forms {
        forms: Vec<Form>,
    }

    #[test]
    fn a_mapping_has_the_shape_that_its_kind_says_wherever_that_stands() {
        let tree = parse("forms: [{kind: round, radius: 1}, {side: 2, kind: square}]").unwrap();
        let forms = vec![Form::Round(Round { radius: 1 }), Form::Square { side: 2 }];
        let reading = read::<Forms>(&tree);
        assert_eq!(reading.value, Some(Forms { forms }));
        assert!(reading.misfits.is_empty(), "{:?}", reading.misfits);
    }

    #[test]
    fn an_item_that_is_of_no_use_costs_itself_and_no_other() {
        let text = "forms:\n- {kind: rund, radius: 1}\n- {radius: 1}\n- {kind: round}\n- {kind: round, radius: 1, sides: 0}\n- {kind: [round]}\n- 3\n- {kind: square, side: 2}\n";
        let reading = read::<Forms>(&parse(text).unwrap());
        let forms = reading.value.map(|forms| forms.forms);
        let good = vec![Form::Round(Round { radius: 1 }), Form::Square { side: 2 }];
        assert_eq!(forms, Some(good));
        let lines: Vec<u64> = reading
            .removed_items
            .iter()
            .map(|place| place.line)
            .collect();
        assert_eq!(lines, [2, 3, 4, 6, 7]);
        let told: Vec<_> = reading
            .misfits
            .iter()
            .map(|misfit| {
                let place = misfit.place.unwrap();
                format!("{}:{}: {}", place.line, place.column, misfit.message)
            })
            .collect();
        assert_eq!(
            told,
            [
                "2:10: 'rund' is none of: round, square",
                "3:3: the key 'kind' is missing",
                "4:3: the key 'radius' is missing",
                "5:28: unknown key 'sides'",
                "6:4: found a list, expected a name",
                "7:3: found a number, expected a name or a mapping with `kind`",
            ]
        );
    }
}
