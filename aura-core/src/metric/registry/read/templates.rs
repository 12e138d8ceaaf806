//! Templates and their uses.

use super::{MAX_METRICS, Reader, TEMPLATE_KEYS, field, part};
use crate::document::{Kind, Node, Path, nearest, shortened};
use crate::event::contract::OrderedMap;
use crate::metric::build::name_fault;
use crate::metric::registry::parameter::{Parameter, Values};
use crate::metric::registry::template::{InstantiateFile, Template};

impl Reader<'_> {
    pub(super) fn template(&mut self, source: usize, node: &Node, path: &Path, values: &Values) {
        let Some(entries) = self.entries(source, node, path, &TEMPLATE_KEYS) else {
            return;
        };
        for key in ["name", "parameters", "metrics"] {
            if field(entries, key).is_none() {
                return self.say(source, node, path, format!("the key `{key}` is missing"));
            }
        }
        let (Some(name_node), Some(parameters_node)) =
            (field(entries, "name"), field(entries, "parameters"))
        else {
            return;
        };
        let Some(name) = self.decode::<String>(source, name_node, &path.key("name")) else {
            return;
        };
        if let Some(fault) = name_fault(&name) {
            return self.say(source, name_node, &path.key("name"), fault);
        }
        if self.registry.template(&name).is_some() {
            return self.say(
                source,
                name_node,
                &path.key("name"),
                format!("the template `{name}` is given twice"),
            );
        }
        let description = match field(entries, "description") {
            Some(node) => match self.decode(source, node, &path.key("description")) {
                Some(text) => Some(text),
                None => return,
            },
            None => None,
        };
        let Some(parameters) =
            self.decode::<OrderedMap<Parameter>>(source, parameters_node, &path.key("parameters"))
        else {
            return;
        };
        let mut sound = true;
        for (parameter, declared) in parameters.iter() {
            let path = path.key("parameters").key(parameter);
            let place = Node {
                at: parameters_node.place(&Path::of(&[parameter]), true),
                kind: Kind::Null,
            };
            let fault = name_fault(parameter)
                .or_else(|| {
                    let taken = values.names().any(|other| other == parameter);
                    taken.then(|| {
                        format!(
                            "`{parameter}` is a parameter of the registry too; give it another name"
                        )
                    })
                })
                .or_else(|| {
                    let default = declared.default.as_ref()?;
                    Values::default()
                        .bind(parameter, declared.ty, default)
                        .err()
                });
            if let Some(fault) = fault {
                self.say(source, &place, &path, fault);
                sound = false;
            }
        }
        let metrics_path = path.key("metrics");
        let metrics: Vec<(Node, Path)> = self
            .items(source, field(entries, "metrics"), &metrics_path)
            .iter()
            .enumerate()
            .map(|(i, item)| (item.clone(), metrics_path.index(i)))
            .collect();
        if metrics.is_empty() {
            return self.say(
                source,
                node,
                &metrics_path,
                "a template has at least one definition",
            );
        }
        if sound {
            self.registry.templates.push(Template {
                name,
                description,
                parameters,
                metrics: metrics.into(),
                values: values.clone(),
                source: Some(source),
            });
        }
    }

    pub(super) fn instantiate(&mut self) {
        for (source, node, path) in std::mem::take(&mut self.uses) {
            let Some(file) = self.decode::<InstantiateFile>(source, &node, &path) else {
                continue;
            };
            let Some(template) = self.registry.template(&file.template).cloned() else {
                let known = self.registry.templates.iter().map(|t| t.name.as_str());
                let hint = match nearest(&file.template, known) {
                    Some(meant) => format!("; did you mean `{meant}`?"),
                    None => String::new(),
                };
                let message = format!("there is no template `{}`{hint}", shortened(&file.template));
                let at = part(&node, "template");
                self.say(source, &at, &path.key("template"), message);
                continue;
            };
            let values = match template.bind(&file.with) {
                Ok(values) => values,
                Err(message) => {
                    let at = part(&node, "with");
                    self.say(source, &at, &path.key("with"), message);
                    continue;
                }
            };
            let note = format!(" (in `{path}`, at {})", node.at);
            for (item, item_path) in template.metrics.iter() {
                if self.registry.metrics.len() > MAX_METRICS {
                    return;
                }
                match template.source {
                    Some(own) => self.metric(own, item, item_path, &values, true, Some(&note)),
                    // The text of the template is not at hand: the place is that of its use.
                    None => {
                        let before = self.problems.len();
                        self.metric(source, item, item_path, &values, true, None);
                        for problem in self.problems.iter_mut().skip(before) {
                            problem.at = Some(node.at);
                        }
                    }
                }
            }
        }
    }
}
