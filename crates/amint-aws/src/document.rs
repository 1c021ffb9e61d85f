//! Documents of JSON as the SDK has them.

use std::collections::HashMap;

use aws_smithy_types::{Document, Number};
use serde_json::Value;

/// Turns a value into a document.
pub(crate) fn document(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(is_true) => Document::Bool(*is_true),
        Value::Number(number) => Document::Number(match (number.as_u64(), number.as_i64()) {
            (Some(natural), _) => Number::PosInt(natural),
            (None, Some(integer)) => Number::NegInt(integer),
            (None, None) => Number::Float(number.as_f64().unwrap_or_default()),
        }),
        Value::String(text) => Document::String(text.clone()),
        Value::Array(items) => Document::Array(items.iter().map(document).collect()),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), document(value)));
            Document::Object(fields.collect::<HashMap<_, _>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_value_has_its_document() {
        let found = document(&json!({ "a": [1, -1, 0.5, "x", true, null] }));
        let list = found.as_object().and_then(|fields| fields["a"].as_array()).unwrap();
        assert_eq!(
            list,
            &[
                Document::Number(Number::PosInt(1)),
                Document::Number(Number::NegInt(-1)),
                Document::Number(Number::Float(0.5)),
                Document::String("x".to_owned()),
                Document::Bool(true),
                Document::Null,
            ]
        );
    }
}
