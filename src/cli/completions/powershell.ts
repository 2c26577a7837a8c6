import type { Tree, Verb } from "./tree.ts";

/** A completion script for PowerShell, Windows PowerShell 5.1 included. */
export function powershellCompletions({ verbs, offered, bare }: Tree): string {
  const first = verbs
    .filter(({ name }) => offered.includes(name))
    .map(({ name, description }) => candidate(name, description, "Command"));
  return `# PowerShell completions of relay. For every shell from now on:
#   relay completions powershell >> $PROFILE

Register-ArgumentCompleter -Native -CommandName 'relay', 'relay.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    function Candidate($text, $description, $type) {
        [pscustomobject]@{ Text = $text; Description = $description; Type = $type }
    }

    # What may stand at each place of the command line.
    $places = @{
        'verb' = @(
${indented(first)}
        )
${[bare, ...verbs].flatMap(placesOf).join("\n")}
    }

    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
    $verb = ''
    if ($words.Count -gt 0 -and -not $words[0].StartsWith('-')) {
        $verb = $words[0]
        $words = @($words | Select-Object -Skip 1)
    } elseif ($words.Count -eq 0 -and -not $wordToComplete.StartsWith('-')) {
        $verb = $null
    }

    $flag = $null
    $place = 1
    foreach ($word in $words) {
        if ($word -ceq '--') { return }
        if ($word.StartsWith('-')) { $flag = if ($places.ContainsKey("$verb $word")) { $word } else { $null } }
        elseif ($flag) { $flag = $null }
        else { $place += 1 }
    }

    $prefix = ''
    if ($null -eq $verb) { $key = 'verb' }
    elseif ($wordToComplete -match '^(--[^=]+)=') { $key = "$verb $($Matches[1])"; $prefix = $Matches[0] }
    elseif ($wordToComplete.StartsWith('-')) { $key = "$verb -" }
    elseif ($flag) { $key = "$verb $flag" }
    else { $key = "$verb $place" }

    $places[$key] | Where-Object { $_ -and "$prefix$($_.Text)".StartsWith($wordToComplete) } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new("$prefix$($_.Text)", $_.Text, $_.Type, $_.Description)
    }
}
`;
}

function placesOf({ name, flags, positionals }: Verb): string[] {
  const choices = (words: readonly string[]) => words.map((word) => candidate(word, word, "ParameterValue"));
  return [
    entry(
      `${name} -`,
      flags.map((flag) => candidate(flag.name, flag.description, "ParameterName")),
    ),
    ...flags.flatMap((flag) =>
      flag.value ? [entry(`${name} ${flag.name}`, choices(flag.value.choices))] : [],
    ),
    ...positionals.map((value, index) => entry(`${name} ${index + 1}`, choices(value.choices))),
  ];
}

function entry(place: string, candidates: string[]): string {
  if (candidates.length === 0) return `        ${quoted(place)} = @()`;
  return `        ${quoted(place)} = @(\n${indented(candidates)}\n        )`;
}

function candidate(text: string, description: string, type: string): string {
  return `Candidate ${quoted(text)} ${quoted(description)} ${quoted(type)}`;
}

function indented(lines: string[]): string {
  return lines.map((line) => `            ${line}`).join("\n");
}

// PowerShell takes typographic quotes for quotes, too
function quoted(text: string): string {
  return `'${text.replace(/['\u2018\u2019\u201a\u201b]/g, "$&$&")}'`;
}
