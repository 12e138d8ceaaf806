//! Registries from texts: the outer form of the files, parameters and templates.

mod parameters;
mod templates;

use hashbrown::{HashMap, HashSet};
use schemars::JsonSchema;
use serde::Serialize;

use super::parameter::{Bindings, Parameter, Values};
use super::source::{Located, Origin, Source, error, node};
use super::template::InstantiateFile;
use super::{Dimension, Registry, check};
use crate::Result;
use crate::document::{Fault, Key, Kind, Node, Path, decode_inside, nearest, shortened};
use crate::event::contract::OrderedMap;
use crate::metric::build::{Problem, build};
use crate::metric::definition::{LocalText, MetricDefinition};
use crate::metric::file::DefinitionFile;

/// Most definitions of a registry, those of templates included.
pub(super) const MAX_METRICS: usize = 10_000;

/// A file of a registry.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Registry")]
pub(super) struct RegistryFile {
    /// The version of the definitions, from 1; a change of any needs a greater one.
    pub(super) version: u32,
    /// What the registry is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<LocalText>,
    /// What may be set by whoever loads the registry.
    #[serde(skip_serializing_if = "OrderedMap::is_empty")]
    #[schemars(default)]
    pub(super) parameters: OrderedMap<Parameter>,
    /// The dimensions that definitions may name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(super) dimensions: Vec<Dimension>,
    /// The definitions.
    #[schemars(default)]
    pub(super) metrics: Vec<DefinitionFile>,
    /// Definitions with parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(super) templates: Vec<TemplateFile>,
    /// Uses of templates, of this registry or of the one that it extends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(super) instantiate: Vec<InstantiateFile>,
}

/// Definitions with parameters. Names and words hold `{parameter}`, expressions too.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Template")]
pub(super) struct TemplateFile {
    /// The name.
    pub(super) name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<LocalText>,
    /// Its parameters.
    pub(super) parameters: OrderedMap<Parameter>,
    /// The definitions.
    pub(super) metrics: Vec<DefinitionFile>,
}

const KEYS: [&str; 7] = [
    "version",
    "description",
    "parameters",
    "dimensions",
    "metrics",
    "templates",
    "instantiate",
];
const TEMPLATE_KEYS: [&str; 4] = ["name", "description", "parameters", "metrics"];

/// Reads a registry from its texts, on top of `base` if it extends one.
pub(super) fn read(
    sources: &[Source],
    bindings: &Bindings,
    base: Option<&Registry>,
) -> Result<Registry> {
    let mut reader = Reader {
        sources,
        bindings,
        problems: Vec::new(),
        registry: base.cloned().unwrap_or_default(),
        origins: Vec::new(),
        uses: Vec::new(),
        parameters: HashMap::new(),
        dimensions: base
            .iter()
            .flat_map(|b| b.dimensions.iter().map(|d| d.name.clone()))
            .collect(),
        version: None,
    };
    reader.origins.resize(reader.registry.metrics.len(), None);
    // Parameters first: a file may name those of another one.
    let roots = sources.iter().map(node).collect::<Result<Vec<_>>>()?;
    let mut values = reader.inherited();
    for (number, root) in roots.iter().enumerate() {
        let node = match &root.kind {
            Kind::Map(entries) => field(entries, "parameters"),
            _ => None,
        };
        reader.parameters(number, node, &mut values);
    }
    reader.unknown_bindings(base);
    if !reader.problems.is_empty() {
        // What names a parameter that has no value is no fault of its own.
        return Err(error(reader.problems, sources));
    }
    for (number, root) in roots.iter().enumerate() {
        reader.file(number, root, &values);
    }
    reader.instantiate();
    let Reader {
        mut problems,
        mut registry,
        origins,
        version,
        ..
    } = reader;
    if base.is_none() {
        registry.version = version.unwrap_or(1);
    }
    if registry.metrics.len() > MAX_METRICS {
        problems.push(Located {
            source: 0,
            at: None,
            message: format!(
                "{} definitions, more than the {MAX_METRICS} of a registry",
                registry.metrics.len()
            ),
        });
        return Err(error(problems, sources));
    }
    // What names a definition that was not understood is no fault of its own.
    let checked = problems.is_empty();
    if checked {
        for (number, problem) in check::check(&mut registry) {
            problems.push(match origins.get(number).and_then(Option::as_ref) {
                Some(origin) => origin.locate(&problem, sources),
                None => Located {
                    source: 0,
                    at: None,
                    message: format!(
                        "metric `{}`: {}: {}",
                        registry.metrics.get(number).map_or("", |m| &m.name),
                        problem.path,
                        problem.message
                    ),
                },
            });
        }
    }
    if problems.is_empty() {
        return Ok(registry);
    }
    Err(error(problems, sources))
}

struct Reader<'a> {
    sources: &'a [Source],
    bindings: &'a Bindings,
    problems: Vec<Located>,
    registry: Registry,
    /// Of each definition of the registry where it stands; none for those of the base.
    origins: Vec<Option<Origin>>,
    /// Uses of templates, with their places.
    uses: Vec<(usize, Node, Path)>,
    /// The parameters of the registry by name, with the text in which they were first declared.
    parameters: HashMap<String, usize>,
    /// The names of the dimensions of the registry.
    dimensions: HashSet<String>,
    version: Option<u32>,
}

fn field<'n>(entries: &'n [(Key, Node)], name: &str) -> Option<&'n Node> {
    entries
        .iter()
        .find(|(key, _)| key.text == name)
        .map(|(_, value)| value)
}

/// A stand-in for a part of a mapping, for its place.
fn part(node: &Node, key: &str) -> Node {
    Node {
        at: node.place(&Path::of(&[key]), false),
        kind: Kind::Null,
    }
}

impl Reader<'_> {
    fn say(&mut self, source: usize, node: &Node, path: &Path, message: impl std::fmt::Display) {
        let prefix = if path.0.is_empty() {
            String::new()
        } else {
            format!("{path}: ")
        };
        self.problems.push(Located {
            source,
            at: Some(node.at),
            message: format!("{prefix}{message}"),
        });
    }

    fn fault(&mut self, source: usize, fault: Fault) {
        self.problems.push(Located {
            source,
            at: fault.at,
            message: fault.message,
        });
    }

    fn decode<T: serde::de::DeserializeOwned>(
        &mut self,
        source: usize,
        node: &Node,
        path: &Path,
    ) -> Option<T> {
        match decode_inside(node, path) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.fault(source, fault);
                None
            }
        }
    }

    fn entries<'n>(
        &mut self,
        source: usize,
        node: &'n Node,
        path: &Path,
        known: &[&str],
    ) -> Option<&'n [(Key, Node)]> {
        let Kind::Map(entries) = &node.kind else {
            self.say(source, node, path, "expected a mapping");
            return None;
        };
        for (key, _) in entries {
            if known.contains(&key.text.as_str()) {
                continue;
            }
            let hint = match nearest(&key.text, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!(
                    "expected one of {}",
                    known
                        .iter()
                        .map(|k| format!("`{k}`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            };
            let at = Node {
                at: key.at,
                kind: Kind::Null,
            };
            self.say(
                source,
                &at,
                path,
                format!("unknown key `{}`; {hint}", shortened(&key.text)),
            );
            return None;
        }
        Some(entries)
    }

    /// The items of a list that may be missing.
    fn items<'n>(&mut self, source: usize, node: Option<&'n Node>, path: &Path) -> &'n [Node] {
        match node.map(|n| (&n.kind, n)) {
            None | Some((Kind::Null, _)) => &[],
            Some((Kind::List(items), _)) => items,
            Some((_, node)) => {
                self.say(source, node, path, "expected a list");
                &[]
            }
        }
    }

    fn file(&mut self, source: usize, root: &Node, values: &Values) {
        let top = Path::default();
        let Some(entries) = self.entries(source, root, &top, &KEYS) else {
            return;
        };
        match field(entries, "version") {
            None => self.say(
                source,
                root,
                &top,
                "the key `version` is missing; the first version is 1",
            ),
            Some(node) => self.version(source, node),
        }
        if let Some(node) = field(entries, "description") {
            let _: Option<LocalText> = self.decode(source, node, &top.key("description"));
        }
        let path = top.key("dimensions");
        for (i, item) in self
            .items(source, field(entries, "dimensions"), &path)
            .iter()
            .enumerate()
        {
            let path = path.index(i);
            if let Some(dimension) = self.decode::<Dimension>(source, item, &path) {
                self.dimension(source, item, &path, dimension);
            }
        }
        let path = top.key("metrics");
        for (i, item) in self
            .items(source, field(entries, "metrics"), &path)
            .iter()
            .enumerate()
        {
            self.metric(source, item, &path.index(i), values, false, None);
        }
        let path = top.key("templates");
        for (i, item) in self
            .items(source, field(entries, "templates"), &path)
            .iter()
            .enumerate()
        {
            self.template(source, item, &path.index(i), values);
        }
        let path = top.key("instantiate");
        for (i, item) in self
            .items(source, field(entries, "instantiate"), &path)
            .iter()
            .enumerate()
        {
            self.uses.push((source, item.clone(), path.index(i)));
        }
    }

    fn version(&mut self, source: usize, node: &Node) {
        let path = Path::of(&["version"]);
        let Some(version) = self.decode::<u32>(source, node, &path) else {
            return;
        };
        match self.version {
            _ if version == 0 => {
                self.say(source, node, &path, "0 is not a version; the first is 1")
            }
            Some(other) if other != version => {
                let message = format!(
                    "{version}, but {other} in another file; the files of one registry have one version"
                );
                self.say(source, node, &path, message);
            }
            _ => self.version = Some(version),
        }
    }

    fn dimension(&mut self, source: usize, node: &Node, path: &Path, dimension: Dimension) {
        let fault = if dimension.name.is_empty() {
            Some("the name is empty".to_owned())
        } else if !self.dimensions.insert(dimension.name.clone()) {
            Some(format!(
                "the dimension `{}` is given twice",
                shortened(&dimension.name)
            ))
        } else {
            None
        };
        match fault {
            Some(message) => self.say(source, node, &path.key("name"), message),
            None => self.registry.dimensions.push(dimension),
        }
    }

    fn metric(
        &mut self,
        source: usize,
        item: &Node,
        path: &Path,
        values: &Values,
        strict: bool,
        note: Option<&str>,
    ) {
        let note = note.map(str::to_owned);
        let node = match values.replace(item, strict) {
            Ok(node) => node,
            Err((at, name)) => {
                let hint = match nearest(&name, values.names()) {
                    Some(meant) => format!("did you mean {{{meant}}}?"),
                    None => "declare it under `parameters`".to_owned(),
                };
                let message = format!("{{{name}}} is no parameter of the template; {hint}");
                return self.say(source, &at, path, message);
            }
        };
        let file = match decode_inside::<DefinitionFile>(&node, path) {
            Ok(file) => file,
            Err(mut fault) => {
                fault.message.push_str(note.as_deref().unwrap_or_default());
                return self.fault(source, fault);
            }
        };
        let origin = Origin {
            source,
            node,
            path: path.clone(),
            note,
        };
        let mut problems = Vec::new();
        let definition = build(&file, &values.scope, &mut problems);
        if values.names().any(|name| name == file.name) {
            problems.push(Problem::new(
                Path::of(&["name"]),
                format!(
                    "`{}` is also a parameter; {{{}}} would have two meanings",
                    file.name, file.name
                ),
            ));
        }
        if self.registry.get(&file.name).is_some() {
            let message = format!("the metric `{}` is given twice", shortened(&file.name));
            problems.push(Problem::new(Path::of(&["name"]), message));
        }
        for problem in &problems {
            self.problems.push(origin.locate(problem, self.sources));
        }
        if let (Some(definition), true) = (definition, problems.is_empty()) {
            self.add(definition, origin);
        }
    }

    fn add(&mut self, definition: MetricDefinition, origin: Origin) {
        self.registry.push(definition);
        self.origins.push(Some(origin));
    }
}
