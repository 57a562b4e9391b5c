import "react";

declare module "react" {
  interface ScriptHTMLAttributes<T> extends HTMLAttributes<T> {
    config?: string; // of <script type="py">
  }
}
