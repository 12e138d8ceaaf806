//! The parameters of a registry, with their values.

use super::Reader;
use crate::document::{Kind, Node, Path, nearest, shortened};
use crate::event::contract::OrderedMap;
use crate::metric::build::name_fault;
use crate::metric::registry::Registry;
use crate::metric::registry::parameter::{Parameter, Values};
use crate::metric::registry::source::Located;

impl Reader<'_> {
    /// The parameters of the registry that is extended.
    pub(super) fn inherited(&self) -> Values {
        let mut values = Values::default();
        for (name, parameter) in self.registry.parameters.iter() {
            if let Some(value) = &parameter.default {
                // It was bound before, so it can be bound again.
                _ = values.bind(name, parameter.ty, value);
            }
        }
        values
    }

    /// Reads the parameters that a text declares, and binds them.
    pub(super) fn parameters(&mut self, source: usize, node: Option<&Node>, values: &mut Values) {
        let path = Path::of(&["parameters"]);
        let Some(node) = node else { return };
        let Some(parameters) = self.decode::<OrderedMap<Parameter>>(source, node, &path) else {
            return;
        };
        for (name, parameter) in parameters.iter() {
            let path = path.key(name);
            let place = |on_key| Node {
                at: node.place(&Path::of(&[name]), on_key),
                kind: Kind::Null,
            };
            if let Some(fault) = name_fault(name) {
                self.say(source, &place(true), &path, fault);
                continue;
            }
            if self.parameters.insert(name.to_owned(), source).is_some()
                || self.registry.parameters.contains(name)
            {
                self.say(
                    source,
                    &place(true),
                    &path,
                    format!("the parameter `{name}` is given twice"),
                );
                continue;
            }
            let Some(value) = self.bindings.get(name).or(parameter.default.as_ref()) else {
                self.say(
                    source,
                    &place(true),
                    &path,
                    "it has no `default`, and no value was given",
                );
                continue;
            };
            match values.bind(name, parameter.ty, value) {
                Ok(()) => {
                    let mut bound = parameter.clone();
                    bound.default = Some(value.clone());
                    self.registry.parameters.insert(name, bound);
                }
                Err(message) => self.say(source, &place(false), &path, message),
            }
        }
    }

    /// Says which values are given for no parameter.
    pub(super) fn unknown_bindings(&mut self, base: Option<&Registry>) {
        for (name, _) in self.bindings.iter() {
            if self.parameters.contains_key(name) {
                continue;
            }
            let known = self.registry.parameters.iter().map(|(n, _)| n);
            let hint = match nearest(name, known) {
                _ if base.is_some_and(|b| b.parameters.contains(name)) => {
                    "; it is one of the registry that is extended: bind it where that is loaded"
                        .to_owned()
                }
                Some(meant) => format!("; did you mean `{meant}`?"),
                None => String::new(),
            };
            self.problems.push(Located {
                source: 0,
                at: None,
                message: format!(
                    "a value is given for `{}`, which is no parameter of the registry{hint}",
                    shortened(name)
                ),
            });
        }
    }
}
