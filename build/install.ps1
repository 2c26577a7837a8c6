# Installs relay on Windows: irm ADDRESS/install.ps1 | iex, or powershell -ExecutionPolicy Bypass -File install.ps1
# For Windows PowerShell 5.1 and PowerShell 7. Everything, even the arguments in the last line, is in one pair of braces:
# half of this file does nothing.
param([switch]$Uninstall, [switch]$Help)

if ($true) {
& {
    param([bool]$Uninstall, [bool]$Help, [string]$ScriptPath)
    Set-StrictMode -Version 3.0
    $ErrorActionPreference = 'Stop'
    # this script reads the exit status itself
    $PSNativeCommandUseErrorActionPreference = $false

    # The release, which build/install-scripts.ts fills in.
    $ReleaseVersion = ''
    $ReleaseUrl = ''
    $ReleaseChecksums = @{
        # build/install-scripts.ts puts the assets here
    }

    function Show-Usage {
        Write-Output @"
usage: powershell -ExecutionPolicy Bypass -File install.ps1 [-Uninstall | -Help], or irm $ReleaseUrl/install.ps1 | iex

Downloads relay $ReleaseVersion for this machine, checks its SHA-256, and installs it to
%LOCALAPPDATA%\Programs\relay, or to `$env:RELAY_INSTALL_DIR. Run it again to upgrade. It needs no administrator,
and changes your PATH only if you say yes. -Uninstall runs "relay uninstall", which disconnects both Claudes,
and then removes the program.
"@
    }

    # The message of .NET, without PowerShell's words around it.
    function Get-Reason($ErrorRecord) {
        return $ErrorRecord.Exception.GetBaseException().Message.TrimEnd('.')
    }

    # The folder that relay is installed to, as an absolute path.
    function Get-InstallFolder {
        $folder = $env:RELAY_INSTALL_DIR
        if (-not $folder) {
            if (-not $env:LOCALAPPDATA) { throw 'LOCALAPPDATA is not set. Set it, or set RELAY_INSTALL_DIR.' }
            $folder = Join-Path $env:LOCALAPPDATA 'Programs\relay'
        }
        if ($folder.Contains(';')) { throw 'RELAY_INSTALL_DIR has a semicolon in it, which PATH cannot hold. Choose another folder.' }
        $absolute = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($folder)
        return $absolute.TrimEnd('\')
    }

    # The name of the asset for this machine. The environment may name an emulated architecture, the registry does not.
    function Get-AssetName {
        $key = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
        $architecture = (Get-ItemProperty -LiteralPath $key).PROCESSOR_ARCHITECTURE
        switch ($architecture) {
            'AMD64' { $cpu = 'x64' }
            'ARM64' { $cpu = 'arm64' }
            default { throw "there is no relay for the processor $architecture, only for AMD64 and ARM64." }
        }
        $name = "relay-windows-$cpu.zip"
        if ($ReleaseChecksums.ContainsKey($name)) { return $name }
        throw "this install.ps1 knows no SHA-256 of $name. Get a new one from $ReleaseUrl/install.ps1."
    }

    # Another program may have the same name; every relay contains the name of its buffer.
    function Assert-OwnProgram([string]$Program) {
        if (Test-Path -LiteralPath $Program -PathType Container) {
            throw "$Program is a folder. Move it away, or set RELAY_INSTALL_DIR to another folder."
        }
        if (-not (Test-Path -LiteralPath $Program)) { return }
        $bytes = [IO.File]::ReadAllBytes($Program)
        if (-not [Text.Encoding]::GetEncoding(28591).GetString($bytes).Contains('relay_buffer')) {
            throw "$Program is another program. Move it away, or set RELAY_INSTALL_DIR to another folder."
        }
    }

    # The progress bar of Invoke-WebRequest slows Windows PowerShell down many times; curl is part of Windows since 2018. Only
    # Invoke-WebRequest knows the system's proxy.
    function Save-Asset([string]$Address, [string]$Path) {
        $curl = Join-Path $env:SystemRoot 'System32\curl.exe'
        if (Test-Path -LiteralPath $curl) {
            $ErrorActionPreference = 'Continue'
            $isConsole = $Host.Name -eq 'ConsoleHost' -and -not [Console]::IsErrorRedirected
            $progress = if ($isConsole) { '--progress-bar' } else { '--silent' }
            & $curl -q --fail --location $progress --connect-timeout 30 --speed-limit 1 --speed-time 60 --output $Path $Address
            if ($LASTEXITCODE -eq 0) { return }
            $ErrorActionPreference = 'Stop'
        }
        $ProgressPreference = 'SilentlyContinue'
        [Net.ServicePointManager]::SecurityProtocol =
            [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
        try {
            Invoke-WebRequest -Uri $Address -OutFile $Path -UseBasicParsing
        } catch {
            throw "cannot download $Address ($(Get-Reason $_)). Nothing was installed. Check the connection, and run this again."
        }
    }

    function Assert-Checksum([string]$Path, [string]$Name) {
        $expected = $ReleaseChecksums[$Name]
        $found = (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash
        if (-not $found -or $found -ne $expected) {
            throw "$Name is not what was released: its SHA-256 is $found, and should be $expected. Nothing was installed."
        }
    }

    # Unpacks the one program in an archive. Expand-Archive takes many times longer.
    function Expand-Program([string]$Archive, [string]$Program) {
        Add-Type -AssemblyName System.IO.Compression
        Add-Type -AssemblyName System.IO.Compression.FileSystem
        try {
            $zip = [IO.Compression.ZipFile]::OpenRead($Archive)
            try {
                $entries = @($zip.Entries | Where-Object { $_.FullName -like '*.exe' })
                if ($entries.Count -ne 1) { throw "it has $($entries.Count) programs in it" }
                [IO.Compression.ZipFileExtensions]::ExtractToFile($entries[0], $Program)
            } finally {
                $zip.Dispose()
            }
        } catch {
            throw "cannot unpack $Archive ($(Get-Reason $_)). Is the disk full? Nothing was installed."
        }
    }

    # A program that does not run here must not replace one that does.
    function Assert-Runs([string]$Program) {
        $said = ''
        try {
            $ErrorActionPreference = 'Continue'
            $said = "$(& $Program --version)".Trim()
        } catch {
            throw "relay does not run on this machine ($(Get-Reason $_)). Nothing was installed."
        }
        if ($LASTEXITCODE -ne 0) { throw "relay does not run on this machine (status $LASTEXITCODE). Nothing was installed." }
        if ($said -ne $ReleaseVersion) {
            throw "the version of this relay is `"$said`", and should be $ReleaseVersion. Nothing was installed."
        }
    }

    # Windows cannot delete a running program, but can rename it. The next run deletes the renamed one.
    function Move-Aside([string]$Program) {
        $aside = "$Program.old-$([Guid]::NewGuid().ToString('N'))"
        try {
            [IO.File]::Move($Program, $aside)
        } catch {
            throw "cannot move $Program aside ($(Get-Reason $_)). End what holds it, and run this again."
        }
        return $aside
    }

    # Answers those that still run.
    function Remove-PutAside([string]$Folder) {
        foreach ($file in @(Get-ChildItem -LiteralPath $Folder -Filter 'relay.exe.old-*' -File)) {
            try { [IO.File]::Delete($file.FullName) } catch { $file.FullName }
        }
    }

    # By rename, so that there is never half a program. After a failure the old one comes back.
    function Move-IntoPlace([string]$New, [string]$Program) {
        $aside = ''
        if (Test-Path -LiteralPath $Program) { $aside = Move-Aside $Program }
        try {
            [IO.File]::Move($New, $Program)
        } catch {
            if ($aside) { [IO.File]::Move($aside, $Program) }
            throw "cannot write $Program ($(Get-Reason $_)). Nothing was installed."
        }
        return [bool]$aside
    }

    # Whether a person can answer.
    function Test-Interactive {
        return [Environment]::UserInteractive -and $Host.Name -eq 'ConsoleHost' -and
            -not [Console]::IsInputRedirected -and -not [Console]::IsOutputRedirected
    }

    function Confirm-Step([string]$Question) {
        if (-not (Test-Interactive)) { return $false }
        try { $answer = Read-Host "$Question [Y/n]" } catch { return $false }
        return $answer -in '', 'y', 'yes'
    }

    # The person's own part of PATH, with its variables as they are. [Environment] would replace them for good.
    function Get-UserPath {
        $key = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey('Environment')
        if (-not $key) { return '' }
        try {
            return [string]$key.GetValue('Path', '', [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames)
        } finally {
            $key.Dispose()
        }
    }

    function Set-UserPath([string]$Value) {
        $key = [Microsoft.Win32.Registry]::CurrentUser.CreateSubKey('Environment')
        try {
            $key.SetValue('Path', $Value, [Microsoft.Win32.RegistryValueKind]::ExpandString)
        } finally {
            $key.Dispose()
        }
        # removing a variable, even a missing one, makes running programs read the environment again
        [Environment]::SetEnvironmentVariable('RELAY_INSTALLER_NOTHING', $null, 'User')
    }

    # The entries of a PATH that are not the folder.
    function Get-OtherEntries([string]$Path, [string]$Folder) {
        $Path -split ';' | Where-Object { $_ -and $_.TrimEnd('\') -ne $Folder }
    }

    function Add-ToPath([string]$Folder) {
        if (($env:Path -split ';').TrimEnd('\') -contains $Folder) { return }
        if (Confirm-Step "Put $Folder into your PATH, so that you can type just `"relay`"?") {
            Set-UserPath ((@($Folder) + @(Get-OtherEntries (Get-UserPath) $Folder)) -join ';')
            $env:Path = "$Folder;$env:Path"
            return
        }
        Write-Host "`nTo type just `"relay`", add this folder to Path in `"Edit environment variables for your account`":`n  $Folder"
    }

    function Remove-FromPath([string]$Folder) {
        $path = Get-UserPath
        $others = @(Get-OtherEntries $path $Folder)
        if ($others.Count -eq @($path -split ';' | Where-Object { $_ }).Count) { return }
        Set-UserPath ($others -join ';')
        Write-Host "$Folder is removed from your PATH."
    }

    # Answers what the person has to type.
    function Get-CommandToType([string]$Program) {
        $first = Get-Command -Name relay -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
        if ($first -and $first.Source -eq $Program) { return 'relay' }
        if ($first) {
            $folder = Split-Path -LiteralPath $Program
            Write-Host "`nTyping `"relay`" runs another one, $($first.Source). Remove that, or put $folder before it in PATH."
        }
        return "& '$($Program.Replace("'", "''"))'"
    }

    function Invoke-Setup([string]$Program) {
        $command = Get-CommandToType $Program
        if (-not (Confirm-Step "`nConnect Claude Desktop and Claude Code now, with `"relay setup`"?")) {
            Write-Host "`nTo connect Claude Desktop and Claude Code, type: $command setup"
            return
        }
        & $Program setup
        if ($LASTEXITCODE -ne 0) {
            throw "relay is installed, but `"relay setup`" failed. Fix the problem that it names, and type: $command setup"
        }
    }

    # Downloads, checks and tries out relay in a temporary folder, and answers its path.
    function Get-NewProgram([string]$Work, [string]$Asset) {
        $archive = Join-Path $Work $Asset
        $program = Join-Path $Work 'relay.exe'
        Write-Host "relay ${ReleaseVersion}: downloading $Asset"
        Save-Asset "$ReleaseUrl/$Asset" $archive
        Assert-Checksum $archive $Asset
        Expand-Program $archive $program
        Assert-Runs $program
        return $program
    }

    function Install-Relay([string]$Folder) {
        $program = Join-Path $Folder 'relay.exe'
        if (-not $ReleaseUrl) { throw 'this install.ps1 is not from a release. Get the one of a release.' }
        if (-not (Get-Command Get-FileHash -ErrorAction SilentlyContinue)) {
            throw 'this PowerShell cannot compute a SHA-256 to check the download. Install PowerShell 5.1 or newer.'
        }
        $asset = Get-AssetName
        Assert-OwnProgram $program
        $isNew = -not (Test-Path -LiteralPath $Folder)
        $work = Join-Path $Folder ".relay-install.$([Guid]::NewGuid().ToString('N'))"
        try {
            try {
                [void][IO.Directory]::CreateDirectory($work)
            } catch {
                throw "cannot write to $Folder ($(Get-Reason $_)). Set RELAY_INSTALL_DIR to a folder of your own."
            }
            $replaced = Move-IntoPlace (Get-NewProgram $work $asset) $program
        } finally {
            # also after Ctrl-C
            if (Test-Path -LiteralPath $work) { Remove-Item -LiteralPath $work -Recurse -Force -ErrorAction Continue }
            if ($isNew) { Remove-EmptyFolder $Folder }
        }
        [void](Remove-PutAside $Folder)
        $note = if ($replaced) { ' Running Claudes use it from their next start.' } else { '' }
        Write-Host "relay $ReleaseVersion is installed as $program.$note"
        Add-ToPath $Folder
        Invoke-Setup $program
    }

    function Remove-EmptyFolder([string]$Folder) {
        if (-not (Test-Path -LiteralPath $Folder -PathType Container)) { return }
        if (@(Get-ChildItem -LiteralPath $Folder -Force).Count -eq 0) { [IO.Directory]::Delete($Folder) }
    }

    function Uninstall-Relay([string]$Folder) {
        $program = Join-Path $Folder 'relay.exe'
        if (-not (Test-Path -LiteralPath $program)) {
            throw "there is no relay in $Folder. If it is in another folder, set RELAY_INSTALL_DIR."
        }
        Assert-OwnProgram $program
        try {
            & $program uninstall
            $failure = if ($LASTEXITCODE -ne 0) { "status $LASTEXITCODE" } else { '' }
        } catch {
            $failure = Get-Reason $_
        }
        if ($failure) {
            throw "`"relay uninstall`" failed ($failure), so nothing was removed. Fix the problem that it names, and run this again."
        }
        [void](Move-Aside $program)
        $running = @(Remove-PutAside $Folder)
        Remove-EmptyFolder $Folder
        # other programs may be there, too
        if (-not (Test-Path -LiteralPath $Folder)) { Remove-FromPath $Folder }
        if ($running.Count) {
            Write-Host "relay is removed. A Claude still runs it: quit it, and delete $($running -join ', ')."
        } else {
            Write-Host "$program is removed."
        }
    }

    function Invoke-Main {
        if ($Help) { Show-Usage; return }
        if ([Environment]::OSVersion.Platform -ne 'Win32NT') {
            throw "this is for Windows. On other systems: curl -fsSL $ReleaseUrl/install.sh | sh"
        }
        $folder = Get-InstallFolder
        if ($Uninstall) { Uninstall-Relay $folder } else { Install-Relay $folder }
    }

    try {
        Invoke-Main
    } catch {
        # exit would close the window of a person who piped this into iex
        if (-not $ScriptPath) { throw "install.ps1: $($_.Exception.Message)" }
        [Console]::Error.WriteLine("install.ps1: $($_.Exception.Message)")
        exit 1
    }
} -Uninstall:$Uninstall -Help:$Help -ScriptPath $PSCommandPath
}
