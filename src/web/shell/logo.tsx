export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M7 16h6l4-7M13 16l4 7M17 9h8M17 23h8" />
    </svg>
  );
}
