//! Values that are made of several: `type=local,dest=out`. A field with a comma in it is put between double quotes, as in
//! a line of CSV.

/// The fields, with what is after their `=`; a field without one is given as it is.
pub(super) fn parse(text: &str) -> Vec<(String, Option<String>)> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match (c, fields.last_mut()) {
            ('"', _) => quoted = !quoted,
            (',', _) if !quoted => fields.push(String::new()),
            (c, Some(field)) => field.push(c),
            (_, None) => {}
        }
    }
    let field = |field: String| match field.split_once('=') {
        Some((key, value)) => (key.trim().to_lowercase(), Some(value.to_owned())),
        None => (field, None),
    };
    fields.into_iter().map(field).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_keep_a_comma() {
        let some = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
        assert_eq!(super::parse("TYPE=local,dest=a=b"), [some("type", "local"), some("dest", "a=b")]);
        assert_eq!(super::parse("\"src=a,b\",id=x"), [some("src", "a,b"), some("id", "x")]);
        assert_eq!(super::parse("out/dir"), [("out/dir".to_owned(), None)]);
    }
}
