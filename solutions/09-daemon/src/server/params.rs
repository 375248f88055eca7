//! The query of a request, read as dockerd reads it.

use super::Refusal;
use axum::extract::FromRequestParts;
use engine::Filters;
use http::request::Parts;
use std::str::FromStr;

/// Every parameter in order; some come more than once.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

impl Params {
    pub(super) fn parse(query: &str) -> Result<Self, Refusal> {
        serde_urlencoded::from_str(query).map(Self).map_err(|error| Refusal::invalid(error.to_string()))
    }

    /// The first value of this name; None if it is absent or empty, which Docker never tells apart.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The first value of this name, or an empty text.
    pub(super) fn string(&self, name: &str) -> String {
        self.text(name).unwrap_or_default().to_owned()
    }

    /// Every value of this name.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// Anything but an empty value, `0`, `no`, `false` and `none` is true (moby, `httputils.BoolValue`).
    pub(super) fn flag(&self, name: &str) -> bool {
        let value = self.string(name).trim().to_lowercase();
        !matches!(value.as_str(), "" | "0" | "no" | "false" | "none")
    }

    /// As [`flag`](Self::flag), but true where it is absent.
    pub(super) fn flag_unless_absent(&self, name: &str) -> bool {
        self.text(name).is_none() || self.flag(name)
    }

    /// A number, if it is given.
    pub(super) fn number<N: FromStr>(&self, name: &str) -> Result<Option<N>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().map_err(|_| Refusal::invalid(format!("invalid value for {name}: {text:?}")))?;
        Ok(Some(number))
    }

    /// `filters={"status":["exited"]}`; before API 1.22 `{"status":{"exited":true}}`, which clients still send.
    pub(super) fn filters(&self) -> Result<Filters, Refusal> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Values {
            List(Vec<String>),
            Set(std::collections::BTreeMap<String, bool>),
        }
        let Some(text) = self.text("filters") else { return Ok(Filters::new()) };
        let found: std::collections::BTreeMap<String, Values> =
            serde_json::from_str(text).map_err(|error| Refusal::invalid(format!("invalid filter: {error}")))?;
        let values = |values| match values {
            Values::List(list) => list,
            Values::Set(set) => set.into_iter().filter(|(_, on)| *on).map(|(value, _)| value).collect(),
        };
        Ok(found.into_iter().map(|(key, value)| (key, values(value))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_dockers() {
        for (query, expected) in [
            ("", false),
            ("all", false),
            ("all=", false),
            ("all=0", false),
            ("all=False", false),
            ("all=none", false),
            ("all=1", true),
            ("all=True", true),
            ("all=yes", true),
            ("all=2", true),
        ] {
            assert_eq!(Params::parse(query).unwrap().flag("all"), expected, "{query}");
        }
        assert!(Params::parse("").unwrap().flag_unless_absent("pause"));
        assert!(!Params::parse("pause=0").unwrap().flag_unless_absent("pause"));
    }

    #[test]
    fn both_shapes_of_filters() {
        let expected = Filters::from([("status".into(), vec!["exited".into()])]);
        for json in [r#"{"status":["exited"]}"#, r#"{"status":{"exited":true,"dead":false}}"#] {
            assert_eq!(Params(vec![("filters".into(), json.into())]).filters().unwrap(), expected);
        }
        assert!(Params::parse("filters={x").unwrap().filters().is_err());
        assert!(Params::parse("").unwrap().filters().unwrap().is_empty());
    }

    #[test]
    fn values() {
        let params = Params::parse("t=-1&names=a&names=b%2Fc&bad=x").unwrap();
        assert_eq!(params.number::<i64>("t").unwrap(), Some(-1));
        assert_eq!(params.number::<i64>("none").unwrap(), None);
        assert_eq!(params.number::<i64>("bad").unwrap_err().message, "invalid value for bad: \"x\"");
        assert_eq!(params.all("names"), ["a", "b/c"]);
    }
}
