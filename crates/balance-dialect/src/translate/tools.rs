//! The tools that the model may use.
//!
//! Invariant: each function is declared once, with its parameters as a schema that Gemini accepts.

use serde_json::Value;
use serde_json::value::RawValue;

use super::model::Family;
use super::names::Names;
use super::path::Path;
use super::refusal::{Refusal, quoted};
use super::{built_in, custom, schema};
use crate::gemini::generate::request::{
    FunctionCallingConfig, FunctionDeclaration, Mode, Tool, ToolConfig,
};
use crate::json::Text;
use crate::openai::chat;

/// The functions of a request.
#[derive(Debug, Default)]
pub(crate) struct Tools<'a> {
    pub(crate) declarations: Vec<FunctionDeclaration<'a>>,
    /// Google's own tools.
    built_in: Vec<Tool<'a>>,
    pub(crate) names: Names,
    /// Whether the arguments of a function have to obey its schema.
    is_strict: bool,
}

/// A function before its name is settled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declared<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: Option<&'a str>,
    pub(crate) parameters: Option<&'a RawValue>,
    pub(crate) is_strict: bool,
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
        match tool.kind.as_deref() {
            None | Some("function") => all.declare_tool(tool, path)?,
            Some("custom") => all.declare_custom(tool, path)?,
            Some(kind) => {
                let reason = format!("{} is no kind of tool that is translated", quoted(kind));
                return Err(Refusal::unsupported(path.field("type"), reason));
            }
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
            is_strict: function.strict == Some(true),
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

    /// Adds the function of a tool, nested or flat.
    fn declare_tool(&mut self, tool: &'a chat::Tool<'a>, path: Path<'_>) -> Result<(), Refusal> {
        match (&tool.function, &tool.name) {
            (Some(function), _) => self.declare(Declared::of(function), path.field("function")),
            (None, Some(name)) => {
                let description = tool.description.as_deref();
                let is_strict = tool.strict == Some(true);
                let parameters = tool.parameters;
                self.declare(Declared { name, description, parameters, is_strict }, path)
            }
            (None, None) => Err(Refusal::missing(path.field("function"))),
        }
    }

    /// Adds a custom tool, nested or flat.
    fn declare_custom(&mut self, tool: &'a chat::Tool<'a>, path: Path<'_>) -> Result<(), Refusal> {
        let nested = path.field("custom");
        let (name, description, path) = match (&tool.custom, &tool.name) {
            (Some(custom), _) => (&custom.name, custom::description(custom, nested)?, nested),
            (None, Some(name)) => {
                let description = tool.description.as_deref();
                (name, custom::describe(description, tool.format.as_ref(), path)?, path)
            }
            (None, None) => return Err(Refusal::missing(nested)),
        };
        let name = self.settle(name, Names::settle_custom, path.field("name"))?;
        self.push(name, description, Some(custom::parameters()));
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
        let name = self.settle(function.name, Names::settle, path.field("name"))?;
        let field = path.field("parameters");
        let parameters = function.parameters.map(|json| schema::of_parameters(json, field));
        let parameters = parameters.transpose()?.flatten();
        let description = function.description.filter(|text| !text.is_empty());
        self.is_strict |= function.is_strict;
        self.push(name, description.map(Text::from), parameters);
        Ok(())
    }

    fn settle(
        &mut self,
        name: &'a str,
        settle: impl FnOnce(&mut Names, &'a str) -> Option<Text<'a>>,
        path: Path<'_>,
    ) -> Result<Text<'a>, Refusal> {
        if name.is_empty() {
            return Err(Refusal::invalid_value(path, "it is empty"));
        }
        settle(&mut self.names, name)
            .ok_or_else(|| Refusal::invalid_value(path, "an earlier tool has this name"))
    }

    fn push(&mut self, name: Text<'a>, description: Option<Text<'a>>, schema: Option<Value>) {
        let declaration = FunctionDeclaration {
            name,
            description,
            parameters_json_schema: schema,
            parameters: None,
        };
        self.declarations.push(declaration);
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

    /// How the tools may be used, after the client's choice; none leaves it to the model.
    pub(crate) fn config(
        &self,
        choice: Option<FunctionCallingConfig<'a>>,
        family: &Family,
    ) -> Option<ToolConfig<'a>> {
        let has_functions = !self.declarations.is_empty();
        let is_mixed = family.since_3 && has_functions && !self.built_in.is_empty();
        let obeys = self.is_strict && family.since_3 && !is_mixed;
        let strict =
            || FunctionCallingConfig { mode: Mode::Validated, allowed_function_names: Vec::new() };
        let config = ToolConfig {
            function_calling_config: choice.or_else(|| obeys.then(strict)),
            include_server_side_tool_invocations: is_mixed.then_some(true),
        };
        (config != ToolConfig::default()).then_some(config)
    }

    /// The functions as one tool, and Google's own. Before Gemini 3 the two do not go together: the
    /// client waits for calls of its functions, so these stay.
    pub(crate) fn into_tools(mut self, family: &Family) -> (Vec<Tool<'a>>, Names) {
        if !family.json_schema {
            for function in &mut self.declarations {
                let schema = function.parameters_json_schema.take();
                function.parameters = schema.as_ref().map(schema::subset::of);
            }
        }
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
