@echo off
rem Runs the relay of this computer's processor. The one for ARM is packed: it is unpacked beside this file by Windows' own
rem tar, and where that cannot be, the other one runs, which Windows emulates there.
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
mkdir "%new%" >nul 2>nul <nul || exit /b 1
"%SystemRoot%\System32\tar.exe" -xf "%here%relay-arm64.tar.xz" -C "%new%" >nul 2>nul <nul && move /y "%new%\relay-arm64.exe" "%here%" >nul 2>nul <nul
rmdir /s /q "%new%" >nul 2>nul <nul
exit /b 0
