#!/usr/bin/env pwsh
<#
.SYNOPSIS
Builds a recovery medium: the same as "dr media build" with the same parameters.
.EXAMPLE
./make-media.ps1 -Kind live -Out recovery.iso -Image server.drimg
#>
param(
    [ValidateSet('live', 'winpe')] [string] $Kind = 'live',
    [Parameter(Mandatory)] [string] $Out,
    [string[]] $Image = @(),
    [string] $SshKey,
    [switch] $Firmware,
    [string] $Program,
    [string] $Dr = 'dr'
)

$arguments = @('media', 'build', '--kind', $Kind, '--out', $Out)
foreach ($file in $Image) { $arguments += @('--image', $file) }
if ($SshKey) { $arguments += @('--ssh-key', $SshKey) }
if ($Firmware) { $arguments += '--firmware' }
if ($Program) { $arguments += @('--program', $Program) }

& $Dr @arguments
exit $LASTEXITCODE
