@echo off
rem Runs relay for this computer's processor. The one for ARM is packed: Windows' own tar unpacks it beside this file. Where
rem that fails, the other one runs, which Windows emulates.
setlocal DisableDelayedExpansion
set "here=%~dp0"
set "program=%here%relay-x64.exe"
if /i "%PROCESSOR_ARCHITECTURE%"=="ARM64" call :arm
"%program%" %*
exit /b %ERRORLEVEL%

:arm
if not exist "%here%relay-arm64.exe" call :unpack
if exist "%here%relay-arm64.exe" set "program=%here%relay-arm64.exe"
exit /b 0

rem By rename, because Claude Desktop starts each server twice at once.
:unpack
set "new=%here%new-%RANDOM%%RANDOM%"
mkdir "%new%" >nul 2>nul <nul
if not exist "%new%" exit /b 1
"%SystemRoot%\System32\tar.exe" -xf "%here%relay-arm64.tar.xz" -C "%new%" >nul 2>nul <nul
if %ERRORLEVEL% EQU 0 move /y "%new%\relay-arm64.exe" "%here%" >nul 2>nul <nul
rmdir /s /q "%new%" >nul 2>nul <nul
exit /b 0
