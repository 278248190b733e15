# The formula of llmproxy for Homebrew, which a release fills in.
class Llmproxy < Formula
  desc "Proxy between programs and LLM providers"
  homepage "@HOMEPAGE@"
  version "@VERSION@"
  license "MIT"

  on_macos do
    on_arm do
      url "@URL@/llmproxy-@VERSION@-darwin-arm64"
      sha256 "@SHA256 darwin-arm64@"
    end
    on_intel do
      url "@URL@/llmproxy-@VERSION@-darwin-x64"
      sha256 "@SHA256 darwin-x64@"
    end
  end

  on_linux do
    on_arm do
      url "@URL@/llmproxy-@VERSION@-linux-arm64"
      sha256 "@SHA256 linux-arm64@"
    end
    on_intel do
      url "@URL@/llmproxy-@VERSION@-linux-x64"
      sha256 "@SHA256 linux-x64@"
    end
  end

  def install
    bin.install Dir["llmproxy-*"].first => "llmproxy"
  end

  service do
    run [opt_bin/"llmproxy", "serve", "--config", etc/"llmproxy.yaml"]
    keep_alive true
    working_dir var/"llmproxy"
    log_path var/"log/llmproxy.log"
    error_log_path var/"log/llmproxy.log"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/llmproxy --version")
  end
end
