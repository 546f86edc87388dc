"""The GraphQL documents, each tried against a live webserver of the pinned Dagster."""

WORKSPACE = """
query Workspace { workspaceOrError { __typename
  ... on Workspace { locationEntries { name loadStatus locationOrLoadError { __typename
    ... on RepositoryLocation { name repositories { name } } ... on PythonError { message } } } }
  ... on PythonError { message } } }
"""

ADD_PARTITION = """
mutation AddPartition($repo: RepositorySelector!, $def: String!, $key: String!) {
  addDynamicPartition(repositorySelector: $repo, partitionsDefName: $def, partitionKey: $key) { __typename
    ... on UnauthorizedError { message } ... on PythonError { message } } }
"""

LAUNCH = """
mutation Launch($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId } }
  ... on RunConfigValidationInvalid { errors { message } }
  ... on PipelineNotFoundError { message } ... on InvalidSubsetError { message }
  ... on ConflictingExecutionParamsError { message } ... on UnauthorizedError { message }
  ... on PythonError { message } } }
"""

RUN_FIELDS = """
  runId status jobName creationTime startTime endTime assetSelection { path } tags { key value }
  stepStats { stepKey status startTime endTime }
"""

RUN = f"""
query Run($id: ID!) {{ runOrError(runId: $id) {{ __typename
  ... on Run {{ {RUN_FIELDS} }} ... on PythonError {{ message }} }} }}
"""

RUNS = f"""
query Runs($filter: RunsFilter, $limit: Int) {{ runsOrError(filter: $filter, limit: $limit) {{ __typename
  ... on Runs {{ results {{ {RUN_FIELDS} }} }}
  ... on InvalidPipelineRunsFilterError {{ message }} ... on PythonError {{ message }} }} }}
"""

EVENTS = """
query Events($id: ID!, $cursor: String, $limit: Int) { logsForRun(runId: $id, afterCursor: $cursor, limit: $limit) {
  __typename
  ... on EventConnection { cursor hasMore events { __typename
    ... on MessageEvent { stepKey message }
    ... on MaterializationEvent { assetKey { path } metadataEntries { label
      ... on IntMetadataEntry { intValue } ... on TextMetadataEntry { text } ... on BoolMetadataEntry { boolValue } } }
    ... on AssetCheckEvaluationEvent { evaluation { assetKey { path } checkName success severity description } }
    ... on ExecutionStepFailureEvent { error { message cause { message } }
      failureMetadata { description metadataEntries { label ... on TextMetadataEntry { text } } } }
    ... on RunFailureEvent { error { message } } } }
  ... on PythonError { message } } }
"""

CANCEL = """
mutation Cancel($id: String!, $policy: TerminateRunPolicy) {
  terminateRun(runId: $id, terminatePolicy: $policy) { __typename
    ... on TerminateRunFailure { message } ... on UnauthorizedError { message } ... on PythonError { message } } }
"""
