//! The tools that the model may use.
//!
//! Invariant: each function is declared once, with its parameters as a schema that Gemini accepts.

use serde_json::value::RawValue;

use super::built_in;
use super::model::Family;
use super::names::Names;
use super::path::Path;
use super::refusal::{Refusal, quoted};
use super::schema;
use crate::gemini::generate::request::{FunctionDeclaration, Tool};
use crate::openai::chat;

/// The functions of a request.
#[derive(Debug, Default)]
pub(crate) struct Tools<'a> {
    pub(crate) declarations: Vec<FunctionDeclaration<'a>>,
    /// Google's own tools.
    built_in: Vec<Tool<'a>>,
    pub(crate) names: Names,
}

/// A function before its name is settled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declared<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: Option<&'a str>,
    pub(crate) parameters: Option<&'a RawValue>,
}

/// The tools of a chat request.
///
/// # Errors
/// A [`Refusal`] of a tool that is no function, and of functions without a name of their own.
pub(crate) fn tools<'a>(tools: &'a [chat::Tool<'a>]) -> Result<Tools<'a>, Refusal> {
    let path = Path::root("tools");
    let mut all = Tools::default();
    for (index, tool) in tools.iter().enumerate() {
        let path = path.index(index);
        if let Some(tool) = built_in::of(tool) {
            all.use_built_in(tool);
            continue;
        }
        let kind = tool.kind.as_deref();
        if kind.is_some_and(|kind| kind != "function") {
            let reason = format!(
                "{} is no kind of tool that is translated",
                quoted(kind.unwrap_or_default())
            );
            return Err(Refusal::unsupported(path.field("type"), reason));
        }
        match (&tool.function, &tool.name) {
            (Some(function), _) => {
                all.declare(Declared::of(function), path.field("function"))?;
            }
            (None, Some(name)) => {
                let description = tool.description.as_deref();
                all.declare(Declared { name, description, parameters: tool.parameters }, path)?;
            }
            (None, None) => return Err(Refusal::missing(path.field("function"))),
        }
    }
    Ok(all)
}

impl<'a> Declared<'a> {
    fn of(function: &'a chat::Function<'a>) -> Self {
        Self {
            name: &function.name,
            description: function.description.as_deref(),
            parameters: function.parameters,
        }
    }
}

impl<'a> Tools<'a> {
    /// Adds the functions of a request of the older kind.
    ///
    /// # Errors
    /// As [`declare`](Self::declare).
    pub(crate) fn declare_all(
        &mut self,
        functions: &'a [chat::Function<'a>],
    ) -> Result<(), Refusal> {
        let path = Path::root("functions");
        for (index, function) in functions.iter().enumerate() {
            self.declare(Declared::of(function), path.index(index))?;
        }
        Ok(())
    }

    /// Adds a function.
    ///
    /// # Errors
    /// A [`Refusal`] of an empty name, of one that stands before, and of parameters that are no
    /// schema.
    pub(crate) fn declare(
        &mut self,
        function: Declared<'a>,
        path: Path<'_>,
    ) -> Result<(), Refusal> {
        if let Some(tool) = built_in::of_function(&function) {
            self.use_built_in(tool);
            return Ok(());
        }
        let field = path.field("name");
        if function.name.is_empty() {
            return Err(Refusal::invalid_value(field, "it is empty"));
        }
        let Some(name) = self.names.settle(function.name) else {
            return Err(Refusal::invalid_value(field, "an earlier tool has this name"));
        };
        let parameters = function.parameters.map(|raw| {
            let field = path.field("parameters");
            serde_json::from_str(raw.get())
                .map_err(|_| Refusal::invalid_value(field, "the schema is nested too deeply"))
        });
        self.declarations.push(FunctionDeclaration {
            name,
            description: function.description.filter(|text| !text.is_empty()),
            parameters_json_schema: parameters
                .transpose()?
                .and_then(|schema: serde_json::Value| schema::of_parameters(&schema)),
        });
        Ok(())
    }

    /// Adds a tool of Google's, unless it is there.
    pub(crate) fn use_built_in(&mut self, tool: Tool<'a>) {
        let kind = std::mem::discriminant(&tool);
        if !self.built_in.iter().any(|other| std::mem::discriminant(other) == kind) {
            self.built_in.push(tool);
        }
    }

    /// Whether there is any tool.
    pub(crate) fn is_empty(&self) -> bool {
        self.declarations.is_empty() && self.built_in.is_empty()
    }

    /// Whether functions and Google's own tools are to go together.
    pub(crate) fn is_mixed(&self, family: &Family) -> bool {
        family.since_3 && !self.declarations.is_empty() && !self.built_in.is_empty()
    }

    /// The functions as one tool, and Google's own. Before Gemini 3 the two do not go together: the
    /// client waits for calls of its functions, so these stay.
    pub(crate) fn into_tools(self, family: &Family) -> (Vec<Tool<'a>>, Names) {
        let tools = match self.declarations {
            none if none.is_empty() => self.built_in,
            functions => {
                let functions = std::iter::once(Tool::FunctionDeclarations(functions));
                functions.chain(self.built_in.into_iter().filter(|_| family.since_3)).collect()
            }
        };
        (tools, self.names)
    }
}
