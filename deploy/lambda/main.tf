# A function with a URL of its own that streams.
#   cargo lambda build --release --arm64 --output-format zip --package balance-lambda
#   terraform -chdir=deploy/lambda init && terraform -chdir=deploy/lambda apply
terraform {
  required_version = ">= 1.6"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60"
    }
  }
}

variable "api_keys" {
  description = "Gemini keys, by commas."
  type        = string
  sensitive   = true
}

variable "access_tokens" {
  description = "Tokens that callers show, by commas."
  type        = string
  sensitive   = true
}

variable "architecture" {
  description = "As the program was built: arm64 or x86_64."
  type        = string
  default     = "arm64"
}

locals {
  zip = "${path.module}/../../target/lambda/bootstrap/bootstrap.zip"
}

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "gemini_balance" {
  name_prefix        = "gemini-balance-"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

resource "aws_iam_role_policy_attachment" "log" {
  role       = aws_iam_role.gemini_balance.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_lambda_function" "gemini_balance" {
  function_name    = "gemini-balance"
  role             = aws_iam_role.gemini_balance.arn
  filename         = local.zip
  source_code_hash = filebase64sha256(local.zip)
  handler          = "bootstrap"
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  memory_size      = 256
  timeout          = 300

  environment {
    variables = {
      API_KEYS      = var.api_keys
      ACCESS_TOKENS = var.access_tokens
      LAMBDA_STREAM = "true"
      LOG_FORMAT    = "json"
    }
  }
}

resource "aws_lambda_function_url" "gemini_balance" {
  function_name      = aws_lambda_function.gemini_balance.function_name
  authorization_type = "NONE" # access tokens guard it
  invoke_mode        = "RESPONSE_STREAM"
}

output "url" {
  description = "What clients take as their base URL."
  value       = aws_lambda_function_url.gemini_balance.function_url
}
