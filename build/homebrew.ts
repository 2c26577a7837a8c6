import { type Publication, published } from "./manifests.ts";

/** A formula for Homebrew on macOS and Linux (docs.brew.sh/Formula-Cookbook), which unpacks `.gz` by itself. */
export function homebrewFormula(publication: Publication): string {
  const { version, description, license, address } = publication;
  const download = (system: string, cpu: string) => {
    const { url, sha256 } = published(publication, `relay-${system}-${cpu}.gz`);
    return [`      url "${url}"`, `      sha256 "${sha256}"`].join("\n");
  };
  const on = (brewSystem: string, system: string) => `  on_${brewSystem} do
    on_arm do
${download(system, "arm64")}
    end
    on_intel do
${download(system, "x64")}
    end
  end`;
  return `class Relay < Formula
  desc ${rubyString(description.replace(/\.$/, ""))}
  homepage "${address.homepage}"
  version "${version}"
  license "${license}"

${on("macos", "darwin")}

${on("linux", "linux")}

  def install
    bin.install Dir["relay-*"].first => "relay"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/relay --version")
  end
end
`;
}

function rubyString(text: string): string {
  return `"${text.replace(/["\\#]/g, "\\$&")}"`;
}
