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
    [string] $Answer,
    [string] $Ca,
    [string] $Credentials,
    [string] $Drivers,
    [string] $SshKey,
    [switch] $Firmware,
    [string] $Program,
    [switch] $OverwriteIso,
    [switch] $Plan,
    [string] $Dr = 'dr'
)

$arguments = @('media', 'build', '--kind', $Kind, '--out', $Out)
foreach ($file in $Image) { $arguments += @('--image', $file) }
if ($Answer) { $arguments += @('--answer', $Answer) }
if ($Ca) { $arguments += @('--ca', $Ca) }
if ($Credentials) { $arguments += @('--credentials', $Credentials) }
if ($Drivers) { $arguments += @('--drivers', $Drivers) }
if ($SshKey) { $arguments += @('--ssh-key', $SshKey) }
if ($Firmware) { $arguments += '--firmware' }
if ($Program) { $arguments += @('--program', $Program) }
if ($OverwriteIso) { $arguments += '--overwrite-iso' }
if ($Plan) { $arguments += '--plan' }

& $Dr @arguments
exit $LASTEXITCODE
