//! The recipes of this repository: the valid ones load and fit the JSON Schema, the broken ones are told apart.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as the tests themselves do")]

use std::fs;
use std::path::{Path, PathBuf};

use amint_recipe::{Recipe, RecipeError, json_schema, load, parse};
use jiff::civil::date;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Finds the recipes that have to be valid, by path.
fn valid_recipes() -> Vec<PathBuf> {
    let list = |folder: PathBuf| -> Vec<PathBuf> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let examples = list(root().join("examples")).into_iter().map(|folder| folder.join("amint.toml"));
    let is_valid =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("valid-"));
    let cases = list(root().join("tests/recipes")).into_iter().filter(is_valid);
    let mut paths: Vec<_> = examples.filter(|path| path.exists()).chain(cases).collect();
    paths.sort();
    paths
}

/// Copies a recipe's folder where it names files that are built, and not in the repository, and puts something there.
fn with_built_files(path: &Path) -> (Option<tempfile::TempDir>, PathBuf) {
    let folder = path.parent().unwrap();
    let Ok(built) = fs::read_to_string(folder.join("files/.gitignore")) else {
        return (None, path.to_owned());
    };
    let copy = tempfile::tempdir().unwrap();
    let copied = std::process::Command::new("cp").arg("-r").arg(folder.join(".")).arg(copy.path()).status();
    assert!(copied.unwrap().success());
    for name in built.lines() {
        fs::write(copy.path().join("files").join(name), "built").unwrap();
    }
    let recipe = copy.path().join("amint.toml");
    (Some(copy), recipe)
}

fn to_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(boolean) => Value::from(*boolean),
        toml::Value::Datetime(moment) => Value::from(moment.to_string()),
        toml::Value::Array(items) => items.iter().map(to_json).collect(),
        toml::Value::Table(table) => table.iter().map(|(key, value)| (key.clone(), to_json(value))).collect(),
    }
}

fn schema_errors(text: &str) -> Vec<String> {
    let validator = jsonschema::draft202012::new(&json_schema()).unwrap();
    let document = to_json(&toml::from_str(text).unwrap());
    validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_example_and_valid_case_loads_without_warnings() {
    let paths = valid_recipes();
    assert!(paths.len() >= 4, "{paths:?}");
    for path in paths {
        let (_copy, path) = with_built_files(&path);
        let file = load(&path).unwrap_or_else(|error| match error {
            RecipeError::Invalid(diagnostics) => panic!("{}", diagnostics.render_plain()),
            other => panic!("{other}"),
        });
        assert_eq!(file.recipe.warnings.items, [], "{}", path.display());
        assert!(file.check_waivers(date(2026, 11, 23)).is_ok());
    }
}

#[test]
fn every_example_and_valid_case_fits_the_schema() {
    for path in valid_recipes() {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(schema_errors(&text), Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn serialised_recipes_without_absent_keys_fit_the_schema() {
    fn without_null(value: &mut Value) {
        if let Value::Object(object) = value {
            object.retain(|_, value| !value.is_null());
            object.values_mut().for_each(without_null);
        } else if let Value::Array(items) = value {
            items.iter_mut().for_each(without_null);
        }
    }
    fn flatten_actions(value: &mut Value) {
        for list in ["run", "test"] {
            for item in value[list].as_array_mut().unwrap() {
                let item = item.as_object_mut().unwrap();
                let Some(Value::Object(action)) = item.remove("action") else { panic!("{item:?}") };
                item.extend(action);
            }
        }
        for pin in value["packages"]["pins"].as_array_mut().unwrap() {
            let pin = pin.as_object_mut().unwrap();
            let Some(Value::Object(target)) = pin.remove("target") else { panic!("{pin:?}") };
            pin.extend(target);
        }
    }
    let validator = jsonschema::draft202012::new(&json_schema()).unwrap();
    for path in valid_recipes() {
        let (_copy, path) = with_built_files(&path);
        let mut document = serde_json::to_value(load(&path).unwrap().recipe).unwrap();
        without_null(&mut document);
        flatten_actions(&mut document);
        let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn the_full_case_has_every_key_of_the_schema() {
    fn missing(schema: &Value, definitions: &Value, document: &Value, place: &str, absent: &mut Vec<String>) {
        let schema = match schema["$ref"].as_str() {
            Some(reference) => &definitions[reference.rsplit('/').next().unwrap()],
            None => schema,
        };
        if let Some(properties) = schema["properties"].as_object() {
            for (key, property) in properties {
                // Of a list of tables it is enough when one has the key.
                let documents: Vec<&Value> = match document {
                    Value::Array(items) => items.iter().collect(),
                    other => vec![other],
                };
                let found: Vec<&Value> = documents.iter().filter_map(|item| item.get(key)).collect();
                let place = format!("{place}.{key}");
                if found.is_empty() {
                    absent.push(place);
                } else {
                    let all = found.iter().flat_map(|value| match value {
                        Value::Array(items) => items.clone(),
                        other => vec![(*other).clone()],
                    });
                    missing(property, definitions, &all.collect(), &place, absent);
                }
            }
        } else if let Some(items) = schema.get("items") {
            missing(items, definitions, document, place, absent);
        }
    }
    let schema = json_schema();
    let text = fs::read_to_string(root().join("tests/recipes/valid-full.toml")).unwrap();
    let mut absent = Vec::new();
    missing(&schema, &schema["$defs"], &to_json(&toml::from_str(&text).unwrap()), "", &mut absent);
    assert_eq!(absent, Vec::<String>::new());
}

#[test]
fn the_schema_describes_and_closes_every_table() {
    fn check(schema: &Value, place: &str, problems: &mut Vec<String>) {
        if let Some(properties) = schema["properties"].as_object() {
            if schema["additionalProperties"] != Value::Bool(false) {
                problems.push(format!("{place} takes unknown keys"));
            }
            for (key, property) in properties {
                let described = property["description"].as_str().is_some_and(|text| !text.is_empty());
                if !described {
                    problems.push(format!("{place}.{key} has no description"));
                }
                check(property, &format!("{place}.{key}"), problems);
            }
        }
        for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
            check(definition, name, problems);
        }
    }
    let schema = json_schema();
    let mut problems = Vec::new();
    check(&schema, "recipe", &mut problems);
    assert_eq!(problems, Vec::<String>::new());
    assert!(!schema.to_string().contains("\"null\""), "TOML has no null");
    assert_eq!(schema["required"], serde_json::json!(["image", "base"]));
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let valid = fs::read_to_string(root().join("tests/recipes/valid-full.toml")).unwrap();
    for (from, to) in [
        ("debian = \"trixie\"", "debian = \"12\""),
        ("port = 22", "port = 70000"),
        ("gate = \"medium\"", "gate = \"severe\""),
        ("size = \"4GiB\"", "size = \"4GB\""),
        ("mode = \"0640\"", "mode = \"640\""),
        ("deadline = \"1h\"", "deadline = \"1 hour\""),
        ("script = \"files/configure.sh\"", "script = \"files/configure.sh\"\ncommand = \"true\""),
        ("tcp = 22", ""),
        ("sudo = false", "sudo = false\nsodu = true"),
        ("components = [\"main\", ", "components = ["),
        ("rule = \"SSH-012\"", "rule = \"ssh-012\""),
        ("priority = 700", "priority = 0"),
        ("priority = -1", "priority = -40000"),
        ("suite = \"trixie-backports\",", "suite = \"trixie-backports\", version = \"1\","),
        ("hold = [\"libc6\"]", "hold = [\"libc6=2.41-12\"]"),
        ("keyring = \"files/vendor.asc\"", ""),
        ("name = \"vendor\"", "name = \"Vendor\""),
        ("https://packages", "https://user:pass@packages"),
        ("suite = \"stable\"", "suite = \"./\""),
        ("snapshot = \"https:", "snapshot = \"ftp:"),
        ("target = \"/opt/full\"", "target = \"opt/full\""),
        ("path = \"/login\"", "path = \"login\""),
        ("protocol = \"https\", port = 8443", "protocol = \"ftp\", port = 8443"),
    ] {
        let text = valid.replacen(from, to, 1);
        assert_ne!(text, valid, "{from}");
        assert!(parse(&text, Path::new("amint.toml")).is_err(), "the reader takes {to}");
        assert!(!schema_errors(&text).is_empty(), "the schema takes {to}");
    }
}

#[test]
fn the_web_example_opens_ssh_and_http() {
    let recipe: Recipe = load(&root().join("examples/web/amint.toml")).unwrap().recipe;
    let ports: Vec<u16> = recipe.effective_ports().iter().map(|port| port.port).collect();
    assert_eq!(ports, [22, 80]);
    assert_eq!(recipe.services.enable, ["nginx.service"]);
}

#[test]
fn every_mistake_of_a_broken_recipe_is_told_at_once() {
    let text = fs::read_to_string(root().join("tests/recipes/broken.toml")).unwrap();
    let error = parse(&text, Path::new("broken.toml")).unwrap_err();
    assert!(error.errors().count() >= 40, "{}", error.errors().count());
    insta::assert_snapshot!("broken", error.render_plain());
}

#[test]
fn mistakes_of_syntax_are_told_with_those_of_values() {
    let text = fs::read_to_string(root().join("tests/recipes/broken-syntax.toml")).unwrap();
    let error = parse(&text, Path::new("broken-syntax.toml")).unwrap_err();
    insta::assert_snapshot!("broken-syntax", error.render_plain());
}
