//! What a template sees: JSON, plus the few distinctions that Go's types make and JSON does not. A Go struct and a Go
//! map are both JSON objects, yet a template prints them differently and answers a missing name differently.

use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A value of the template language.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The result of a lookup that found nothing; prints as `<no value>`.
    Nil,
    /// JSON's null, and how Go prints what is null: `map[]`, `[]`, `<nil>`.
    Null(&'static str),
    Bool(bool),
    Int(i64),
    Float(f64),
    String(Rc<str>),
    List(Rc<Vec<Value>>),
    Object(Rc<Object>),
}

/// An object, and which of Go's kinds of object it stands for.
#[derive(Debug, PartialEq)]
pub struct Object {
    pub kind: Kind,
    /// In the order of the JSON.
    pub fields: Vec<(String, Value)>,
    /// Other names of fields, which are found but not printed.
    pub aliases: Vec<(String, Value)>,
    /// What `.Label "x"` looks up; only rows of tables have it.
    pub labels: Option<BTreeMap<String, String>>,
}

/// How an object answers for a name it does not have, and how it prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Go struct read from JSON: a missing name is an error.
    Struct,
    /// A map with the user's own keys, like labels: a missing name is `<no value>`.
    Map,
    /// A value of this Go type, which Docker's texts name: a missing name is an error that says so.
    Typed(&'static str),
}

/// The JSON objects whose keys are the user's, not Docker's.
const MAPS: &[&str] = &[
    "Annotations",
    "Attributes",
    "Data",
    "Details",
    "ExposedPorts",
    "Labels",
    "Networks",
    "PortBindings",
    "Ports",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];

/// Null where Docker has a pointer. Any other null is an empty list to Go.
const POINTERS: &[&str] = &[
    "Health",
    "Healthcheck",
    "IPAMConfig",
    "Init",
    "MemorySwappiness",
    "OomKillDisable",
    "PidsLimit",
    "Server",
    "SizeRootFs",
    "SizeRw",
    "StopTimeout",
];

fn is_map(name: &str, parent: &str) -> bool {
    MAPS.contains(&name) || (name == "Config" && parent == "LogConfig")
}

impl Value {
    /// A value from JSON; its top object is a struct.
    pub fn from_json(json: &Json) -> Self {
        Self::convert(json, "", "")
    }

    /// As [`Value::from_json`], naming the Go type whose name Docker prints in errors.
    pub fn typed(json: &Json, go_type: &'static str) -> Self {
        match Self::from_json(json) {
            Self::Object(object) => Self::Object(Rc::new(Object {
                kind: Kind::Typed(go_type),
                fields: object.fields.clone(),
                aliases: Vec::new(),
                labels: None,
            })),
            other => other,
        }
    }

    fn convert(json: &Json, name: &str, parent: &str) -> Self {
        match json {
            Json::Null if is_map(name, parent) => Self::Null("map[]"),
            Json::Null if POINTERS.contains(&name) => Self::Null("<nil>"),
            Json::Null => Self::Null("[]"),
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => n.as_i64().map_or_else(|| Self::Float(n.as_f64().unwrap_or(f64::NAN)), Self::Int),
            Json::String(s) => Self::String(s.as_str().into()),
            Json::Array(items) => Self::List(Rc::new(items.iter().map(|i| Self::convert(i, "", name)).collect())),
            Json::Object(entries) => {
                let fields = entries.iter().map(|(k, v)| (k.clone(), Self::convert(v, k, name))).collect();
                Self::Object(Rc::new(Object {
                    kind: if is_map(name, parent) { Kind::Map } else { Kind::Struct },
                    fields,
                    aliases: Vec::new(),
                    labels: None,
                }))
            }
        }
    }

    /// Makes fields findable that a server leaves out when they are empty.
    pub fn with_defaults(self, defaults: &Json) -> Self {
        let (Self::Object(object), Json::Object(defaults)) = (&self, defaults) else { return self };
        let fields = object.fields.iter().map(|(name, value)| match defaults.get(name) {
            Some(inner) => (name.clone(), value.clone().with_defaults(inner)),
            None => (name.clone(), value.clone()),
        });
        let missing = defaults.iter().filter(|(name, inner)| object.get(name).is_none() && !inner.is_object());
        Self::Object(Rc::new(Object {
            kind: object.kind,
            fields: fields.collect(),
            aliases: missing.map(|(name, value)| (name.clone(), Self::convert(value, name, ""))).collect(),
            labels: None,
        }))
    }

    /// The JSON that `json` prints.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Nil | Self::Null(_) => Json::Null,
            Self::Bool(b) => (*b).into(),
            Self::Int(i) => (*i).into(),
            Self::Float(f) => (*f).into(),
            Self::String(s) => s.as_ref().into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Object(object) => Json::Object(object.fields.iter().map(|(k, v)| (k.clone(), v.to_json())).collect()),
        }
    }

    /// Go's idea of truth: not zero, not empty.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil | Self::Null(_) => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::Float(f) => *f != 0.0,
            Self::String(s) => !s.is_empty(),
            Self::List(items) => !items.is_empty(),
            // A struct is always true, even an empty one.
            Self::Object(object) => object.kind != Kind::Map || !object.fields.is_empty(),
        }
    }

    /// The name of the Go type, for error texts.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil | Self::Null(_) => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::String(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Object(object) => match object.kind {
                Kind::Typed(name) => name,
                _ => "map[string]interface {}",
            },
        }
    }
}

impl Object {
    /// The field of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().chain(&self.aliases).find(|(k, _)| k == name).map(|(_, v)| v)
    }

    /// The fields in the order of their names, as Go ranges over and prints a map.
    pub fn sorted(&self) -> Vec<(&str, &Value)> {
        let mut fields: Vec<_> = self.fields.iter().map(|(k, v)| (k.as_str(), v)).collect();
        fields.sort_by_key(|(k, _)| *k);
        fields
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Self::String(s.into())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Self::String(s.into())
    }
}

/// As Go's `%v` prints it.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nil => f.write_str("<nil>"),
            Self::Null(text) => f.write_str(text),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Float(x) => f.write_str(&float(*x)),
            Self::String(s) => f.write_str(s),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(" "))
            }
            Self::Object(object) if object.kind == Kind::Map => {
                let entries: Vec<_> = object.sorted().iter().map(|(k, v)| format!("{k}:{v}")).collect();
                write!(f, "map[{}]", entries.join(" "))
            }
            Self::Object(object) => {
                let values: Vec<_> = object.fields.iter().map(|(_, v)| v.to_string()).collect();
                write!(f, "{{{}}}", values.join(" "))
            }
        }
    }
}

/// Go's `%v` of a float: the shortest digits, with an exponent when it is below -4 or at least 21.
fn float(x: f64) -> String {
    if x.is_nan() {
        return "NaN".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    let scientific = format!("{x:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    match exponent.parse::<i32>() {
        Ok(e) if x != 0.0 && !(-4..21).contains(&e) => {
            format!("{mantissa}e{}{:02}", if e < 0 { '-' } else { '+' }, e.abs())
        }
        _ => format!("{x}"),
    }
}
